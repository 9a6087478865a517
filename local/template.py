"""Reads CloudFormation templates: intrinsics, conditions, and what stands behind them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

UNKNOWN = object()
"""Stands for a value that only a deployed stack could tell."""


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)
# Step Functions and CloudFormation both mean the text: "2012-10-17" is no date.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> dict[str, Any]:
    """Return a template or a state machine definition, short forms written out."""
    document: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader
    return document


@dataclass(frozen=True)
class Stack:
    """One template with everything that its intrinsics may refer to.

    Attributes:
        name: Path of logical ids from the root, empty for the root itself.
        parameters: Values by name; UNKNOWN where only a deployment could tell.
        physical: Physical ids of deployed resources.
        pseudo: Pseudo parameters, such as AWS::Region.
    """

    name: str
    path: Path
    body: dict[str, Any]
    parameters: Mapping[str, Any]
    physical: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, dict[str, Any]]:
        """Resources by logical id."""
        resources: dict[str, dict[str, Any]] = self.body.get("Resources", {})
        return resources

    def applications(self) -> Iterator[tuple[str, Path, dict[str, Any]]]:
        """Yield logical id, template and Parameters of every nested application that is created."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == "AWS::Serverless::Application" and self.includes(resource):
                properties = resource["Properties"]
                location = (self.path.parent / properties["Location"]).resolve()
                yield logical_id, location, properties.get("Parameters", {})

    def condition(self, name: str) -> bool | None:
        """Evaluate a condition; None if it depends on something unknown."""
        return self._decide(self.body["Conditions"][name])

    def includes(self, resource: dict[str, Any]) -> bool:
        """Whether a resource is created."""
        return "Condition" not in resource or self.condition(resource["Condition"]) is not False

    def resolve(self, value: Any) -> Any:
        """Return a value without intrinsics; UNKNOWN where one cannot be told."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._intrinsic(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                decided = self.condition(condition)
                return UNKNOWN if decided is None else self.resolve(then if decided else otherwise)
            case "Fn::Join":
                return _known(self.resolve(argument[1]), argument[0].join)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::Sub":
                return self._substitute(argument)
            case _:
                return UNKNOWN

    def _reference(self, name: str) -> Any:
        declared = self.body.get("Parameters", {}).get(name, {})
        if name == "AWS::NoValue":
            return None
        places = (self.pseudo, self.parameters, self.physical)
        value = next((known[name] for known in places if name in known), declared.get("Default", UNKNOWN))
        if value is not UNKNOWN and declared.get("Type") == "CommaDelimitedList":
            return [part.strip() for part in value.split(",")]
        return value

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        shapes = {
            "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{id}",
            "AWS::S3::Bucket": "arn:aws:s3:::{id}",
            "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
        }
        shape = shapes.get(self.resources.get(logical_id, {}).get("Type", ""))
        if attribute != "Arn" or shape is None or logical_id not in self.physical:
            return UNKNOWN
        region, account = self.pseudo["AWS::Region"], self.pseudo["AWS::AccountId"]
        return shape.format(region=region, account=account, id=self.physical[logical_id])

    def _substitute(self, argument: Any) -> Any:
        text, given = argument if isinstance(argument, list) else (argument, {})
        names = re.findall(r"\$\{([^!}]+)\}", text)
        values = [
            self.resolve(given[name])
            if name in given
            else self.resolve({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})
            for name in names
        ]
        if UNKNOWN in values:
            return UNKNOWN
        for name, value in zip(names, values, strict=True):
            text = text.replace(f"${{{name}}}", str(value))
        return text

    def _decide(self, expression: dict[str, Any]) -> bool | None:
        ((name, argument),) = expression.items()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = (self.resolve(side) for side in argument)
            return None if UNKNOWN in (left, right) else str(left) == str(right)
        decided = [self._decide(part) for part in argument]
        if name == "Fn::Not":
            return None if decided[0] is None else not decided[0]
        settling = name == "Fn::Or"  # one such answer decides, whatever is unknown
        if settling in decided:
            return settling
        return None if None in decided else not settling


def _known(values: Any, combine: Any) -> Any:
    return UNKNOWN if values is UNKNOWN or UNKNOWN in values else combine(values)


def read(path: Path, parameters: Mapping[str, Any]) -> list[Stack]:
    """Return a template and every application nested in it, with what can be known before a deployment."""

    def descend(name: str, path: Path, parameters: Mapping[str, Any]) -> Iterator[Stack]:
        stack = Stack(name, path, load(path), parameters)
        yield stack
        for logical_id, location, given in stack.applications():
            values = {key: stack.resolve(value) for key, value in given.items()}
            yield from descend(f"{name}/{logical_id}".lstrip("/"), location, values)

    return list(descend("", path.resolve(), parameters))
