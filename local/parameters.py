"""Parameters of a template as a command line gives them."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from local.errors import ParameterInvalid


def parsed(pairs: Iterable[str], declared: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return parameters by name.

    Args:
        pairs: `Key=Value` each; of one that is given twice, the last counts.
        declared: The template's section Parameters.

    Raises:
        ParameterInvalid: One is no pair, the template has none of the name, or does not allow the value.
    """
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ParameterInvalid(f"'{pair}' is no parameter: write Key=Value, such as DataProtection=enabled.")
        if name not in declared:
            raise ParameterInvalid(f"The template has no parameter '{name}'.{_nearest(name, declared)}")
        _require_allowed(name, value, declared[name])
        given[name] = value
    return given


def _nearest(name: str, declared: Iterable[str]) -> str:
    by_lower = {each.lower(): each for each in declared}
    near = get_close_matches(name.lower(), by_lower, n=1)
    if near:
        return f" Did you mean {by_lower[near[0]]}?"
    return f" It has: {', '.join(sorted(by_lower.values()))}."


def _require_allowed(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = [str(each) for each in declared.get("AllowedValues", ())]
    if allowed and value not in allowed:
        raise ParameterInvalid(f"{name} cannot be '{value}': it is one of {', '.join(allowed)}.")
    if (pattern := declared.get("AllowedPattern")) and not re.fullmatch(pattern, value):
        # CloudFormation's own sentence, which the template's author wrote for it.
        raise ParameterInvalid(f"{name} cannot be '{value}': it is {declared.get('ConstraintDescription', pattern)}.")
