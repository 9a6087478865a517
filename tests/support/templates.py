"""The templates as they are written, and as SAM translates them; what deploys what, found and not listed."""

import logging
import os
import re
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.translator.transform import transform

from local import template
from local.paths import ROOT

Json = dict[str, Any]

APPLICATION = "AWS::Serverless::Application"
FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
MACHINE = "AWS::Serverless::StateMachine"

# SAM reads no file; whatever a template refers to by a local path is replaced by a place in S3 that it may believe in.
_LOCAL_PATHS = {
    FUNCTION: ("CodeUri", "s3://translated/code.zip"),
    LAYER: ("ContentUri", "s3://translated/layer.zip"),
    MACHINE: ("DefinitionUri", "s3://translated/definition.json"),
    APPLICATION: ("Location", "https://s3.amazonaws.com/translated/child.yaml"),
}


@dataclass(frozen=True)
class Stack:
    """One template file. `logical_id` is its name in the root application, None for the root itself."""

    path: Path
    body: Json = field(compare=False, repr=False)
    logical_id: str | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """`firewall_logs` for `stacks/firewall_logs.yaml`."""
        return self.path.stem

    @property
    def domain(self) -> str:
        """`firewall_logs` for `stacks/firewall_logs_days.yaml`: the package that its name begins with, or its name."""
        packages = (path.name for path in ROOT.glob("functions/*/") if f"{self.name}_".startswith(f"{path.name}_"))
        return max(packages, key=len, default=self.name)

    @property
    def resources(self) -> Json:
        """Every resource by logical id."""
        return dict(self.body.get("Resources", {}))

    def of_type(self, *types: str) -> dict[str, Json]:
        """Return the properties of the resources of these types, by logical id."""
        return {key: found.get("Properties", {}) for key, found in self.resources.items() if found["Type"] in types}


@dataclass(frozen=True)
class Function:
    """A function as deployed: its own properties over the Globals of its stack."""

    stack: Stack
    logical_id: str
    properties: Json = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.stack.name}.{self.logical_id}"

    @property
    def module(self) -> str:
        """`firewall_logs.handlers.plan_run`."""
        return str(self.properties["Handler"]).rpartition(".")[0]

    @property
    def attribute(self) -> str:
        """`handler`."""
        return str(self.properties["Handler"]).rpartition(".")[2]

    @property
    def domain(self) -> str:
        """`firewall_logs`."""
        return self.module.partition(".")[0]

    @property
    def name(self) -> str:
        """`plan_run`."""
        return self.module.rpartition(".")[2]

    @property
    def code(self) -> Path:
        """The folder that is deployed."""
        return self.stack.path.parent.joinpath(self.properties["CodeUri"]).resolve()

    @property
    def source(self) -> Path:
        """The file of the handler."""
        return self.code.joinpath(*self.module.split(".")).with_suffix(".py")

    @property
    def layers(self) -> list[Path]:
        """The folders of its layers, in order."""
        return [_layer_folder(self, value) for value in self.properties.get("Layers", [])]


@dataclass(frozen=True)
class Machine:
    """A state machine and its definition file."""

    stack: Stack
    logical_id: str
    properties: Json = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.stack.name}.{self.logical_id}"

    @property
    def path(self) -> Path:
        """The definition."""
        return self.stack.path.parent.joinpath(self.properties["DefinitionUri"]).resolve()

    @property
    def substitutions(self) -> Json:
        """What the template puts in place of `${Name}`."""
        return dict(self.properties.get("DefinitionSubstitutions", {}))

    def function(self, reference: str) -> Function:
        """Return the function that `${Name}` stands for."""
        name = reference.removeprefix("${").removesuffix("}")
        logical_id = self.substitutions[name]["Fn::GetAtt"][0]
        return next(f for f in functions() if f.stack == self.stack and f.logical_id == logical_id)


@dataclass(frozen=True)
class Origin:
    """Where a value comes from in the end: a resource or parameter and the template that has it."""

    stack: Stack
    logical_id: str


@cache
def root() -> Stack:
    """Return the root application."""
    return load(ROOT / "template.yaml")


@cache
def children() -> tuple[Stack, ...]:
    """Return the nested applications, in the root's order."""
    return tuple(
        load(ROOT / properties["Location"], logical_id)
        for logical_id, properties in root().of_type(APPLICATION).items()
    )


@cache
def standalone() -> tuple[Stack, ...]:
    """Return the templates that are deployed by themselves, into other accounts than the root application."""
    return tuple(
        load(ROOT / f"stacks/{name}.yaml") for name in ("source_account", "database_account", "member_account")
    )


def stacks() -> tuple[Stack, ...]:
    """Return every template: the root and its children."""
    return (root(), *children())


@cache
def functions() -> tuple[Function, ...]:
    """Return every function of every stack."""
    return tuple(
        Function(stack, key, _with_globals(stack, properties))
        for stack in stacks()
        for key, properties in stack.of_type(FUNCTION).items()
    )


@cache
def sqs_sources() -> tuple[tuple[Function, Json], ...]:
    """Return every function that a queue feeds, with the properties of its event source mapping."""
    return tuple(
        (function, mapping)
        for function in functions()
        for mapping in function.stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if mapping["FunctionName"] == {"Ref": function.logical_id} and "BatchSize" in mapping
    )


@cache
def machines() -> tuple[Machine, ...]:
    """Return every state machine of every stack."""
    return tuple(
        Machine(stack, key, properties) for stack in stacks() for key, properties in stack.of_type(MACHINE).items()
    )


def load(path: Path, logical_id: str | None = None) -> Stack:
    """Read a template; short intrinsics (`!Ref`) become long ones."""
    return Stack(path, template.load(path), logical_id)


def origin(stack: Stack, value: Any) -> Origin | None:
    """Follow a reference through parameters and outputs of the nested applications to where it begins."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    if "Fn::GetAtt" in value:
        target, attribute = value["Fn::GetAtt"]
        output = attribute.removeprefix("Outputs.")
        if output == attribute:
            return Origin(stack, target)
        child = next(child for child in children() if child.logical_id == target)
        return origin(child, child.body["Outputs"][output]["Value"])
    name = value.get("Ref")
    if name is None:
        return None
    given = root().of_type(APPLICATION)[stack.logical_id].get("Parameters", {}) if stack.logical_id else {}
    return origin(root(), given[name]) if name in given and name not in stack.resources else Origin(stack, name)


def translate(stack: Stack) -> Json:
    """Return the CloudFormation template that SAM makes of this one."""
    body = deepcopy(stack.body)
    for resource in body["Resources"].values():
        if resource["Type"] in _LOCAL_PATHS:
            key, place = _LOCAL_PATHS[resource["Type"]]
            resource["Properties"][key] = place
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)  # it announces metrics that nobody publishes
    parameters = {name: given["Default"] for name, given in body.get("Parameters", {}).items() if "Default" in given}
    # SAM asks boto3 for the region it translates for.
    with patch.dict(os.environ, AWS_DEFAULT_REGION="eu-central-1"):
        return dict(transform(body, parameters, _NoManagedPolicies()))


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def _with_globals(stack: Stack, properties: Json) -> Json:
    shared = stack.body.get("Globals", {}).get("Function", {})
    variables = shared.get("Environment", {}).get("Variables", {})
    own = properties.get("Environment", {}).get("Variables", {})
    return {**shared, **properties, "Environment": {"Variables": {**variables, **own}}}


def _layer_folder(function: Function, value: Any) -> Path:
    found = origin(function.stack, value)
    assert found is not None, f"{function}: the layer {value} is no reference to a layer of the root application"
    layer = found.stack.of_type(LAYER).get(found.logical_id)
    assert layer is not None, f"{function}: the layer {value} leads to {found.logical_id}, which is no LayerVersion"
    # `sam build` makes the layer by the target of its name, which says where the lock is.
    makefile = (ROOT / "layers/Makefile").read_text()
    folder = re.search(rf"^build-{found.logical_id}: LAYER := (\w+)$", makefile, re.MULTILINE)
    assert folder is not None, f"layers/Makefile has no line 'build-{found.logical_id}: LAYER := …'"
    return ROOT / "layers" / folder[1]
