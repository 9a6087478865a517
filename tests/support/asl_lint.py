"""cfn-lint over state machine definitions.

cfn-lint opens no `DefinitionUri` (aws-cloudformation/cfn-lint#3907), so each definition is put as `Definition` into a
template of its own.
"""

import json
import re
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

# Only says that the definition could be stricter about its query language.
_IGNORED = ["I4010"]
_REGION = "eu-central-1"
_NUMBERS = frozenset({"MaxConcurrency", "HeartbeatSeconds"})


def asl_problems(definition: dict[str, Any], substitutions: dict[str, Any]) -> list[str]:
    """Return what cfn-lint finds in a definition, one sentence each."""
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": "arn:aws:iam::000000000000:role/machine",
                    "Definition": _with_numbers(definition),
                    "DefinitionSubstitutions": {name: _example(name) for name in substitutions},
                },
            }
        },
    }
    arguments = ManualArgs(ignore_checks=_IGNORED, regions=[_REGION])
    matches = lint(json.dumps(template), config=arguments)
    return [f"{match.rule.id} {_place(match.path)}: {match.message}" for match in matches]


def _with_numbers(value: Any) -> Any:
    """Put a number where Step Functions takes an expression but cfn-lint's schema knows numbers only."""
    if isinstance(value, dict):
        return {
            key: 1 if key in _NUMBERS and isinstance(inner, str) else _with_numbers(inner)
            for key, inner in value.items()
        }
    return [_with_numbers(inner) for inner in value] if isinstance(value, list) else value


def _example(name: str) -> str:
    return f"arn:aws:lambda:{_REGION}:000000000000:function:{name}" if name.endswith("Arn") else "1"


def _place(path: Any) -> str:
    return re.sub(r"^Resources/Machine/Properties/Definition/?", "", "/".join(map(str, path or [])))
