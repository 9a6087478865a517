"""Policy documents of IAM, topics and keys: their statements, and whether they let a service of AWS do something."""

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from data_protection.resources import Place


def _all(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value or ())


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes:
        allows: Whether its effect is Allow.
        actions: With wildcards; empty where it names those that are not meant.
        resources: Likewise.
        excepts: Whether it has NotAction or NotResource.
        principals: By type, as `Service`; `*` for all is under `AWS`. None where there is none, as in a role's policy.
        conditions: By operator and key, as AWS has them.
        given: The statement as AWS has it.
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    excepts: bool
    principals: Mapping[str, tuple[str, ...]] | None
    conditions: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, Any] = field(compare=False)

    def names(self, action: str) -> bool:
        """Return whether an action is among the statement's; actions are case-insensitive."""
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions)

    @property
    def is_public(self) -> bool:
        """Whether it is about anybody."""
        return any("*" in who for who in (self.principals or {}).values())


def statements(document: str | Mapping[str, Any] | None) -> Sequence[Statement]:
    """Return the statements of a policy, which may be JSON text.

    Raises:
        ValueError: The text is no JSON.
    """
    policy = json.loads(document) if isinstance(document, str) else document or {}
    given = policy.get("Statement", [])
    return [_statement(one) for one in ([given] if isinstance(given, Mapping) else given)]


def _statement(given: Mapping[str, Any]) -> Statement:
    return Statement(
        allows=given["Effect"] == "Allow",
        actions=_all(given.get("Action")),
        resources=_all(given.get("Resource")),
        excepts="NotAction" in given or "NotResource" in given,
        principals=_principals(given.get("Principal")),
        conditions=given.get("Condition", {}),
        given=given,
    )


def _principals(given: Any) -> Mapping[str, tuple[str, ...]] | None:
    if given is None:
        return None
    return {"AWS": _all(given)} if isinstance(given, str) else {kind: _all(who) for kind, who in given.items()}


class Grant(Enum):
    """Whether a policy lets a service do something."""

    YES = "yes"
    PERHAPS = "perhaps"  # a condition that is not judged here decides
    NO = "no"


_ORDER = (Grant.YES, Grant.PERHAPS, Grant.NO)


def grants(document: str | Mapping[str, Any] | None, service: str, actions: Iterable[str], place: Place) -> Grant:
    """Return whether a resource's policy lets a service act for the place's account.

    Conditions on the account or the ARN of the source are judged; others make it `PERHAPS`. Statements that deny count
    where they have no condition, as those with one are about people: TLS, an organization, a network.

    Args:
        document: The resource's policy.
        service: As `cloudwatch.amazonaws.com`.
        actions: All of which must be allowed.
        place: Where the service acts from.
    """
    found = [_grants(statements(document), service, action, place) for action in actions]
    return max(found, key=_ORDER.index)


def _grants(policy: Iterable[Statement], service: str, action: str, place: Place) -> Grant:
    about = [
        one
        for one in policy
        if one.names(action) and (one.is_public or service in (one.principals or {}).get("Service", ()))
    ]
    if any(not one.allows and not one.conditions for one in about):
        return Grant.NO
    met = [_met(one.conditions, service, place) for one in about if one.allows]
    return min(met, key=_ORDER.index, default=Grant.NO)


def _met(conditions: Mapping[str, Mapping[str, Any]], service: str, place: Place) -> Grant:
    source = f"arn:{place.partition}:{service.partition('.')[0]}:{place.region}:{place.account}:alarm:any"
    found = [
        _one_met(key.lower(), _all(values), source, place) if _is_equality(operator) else Grant.PERHAPS
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]
    return max(found, key=_ORDER.index, default=Grant.YES)


def _is_equality(operator: str) -> bool:
    return operator.removesuffix("IfExists") in {"StringEquals", "StringLike", "ArnEquals", "ArnLike"}


def _one_met(key: str, values: tuple[str, ...], source: str, place: Place) -> Grant:
    if key in {"aws:sourceaccount", "aws:sourceowner"}:
        return Grant.YES if place.account in values else Grant.NO
    if key == "aws:sourcearn":
        if any(fnmatch.fnmatchcase(source, value) for value in values):
            return Grant.YES
        # One alarm by name is a grant to that one.
        mine = source.removesuffix("any")
        return Grant.PERHAPS if any(value.startswith(mine) for value in values) else Grant.NO
    return Grant.PERHAPS


def with_statement(document: str | Mapping[str, Any] | None, statement: Mapping[str, Any]) -> str:
    """Return a policy as JSON text with one statement more, or in the place of the one that has its `Sid`."""
    policy = dict(json.loads(document) if isinstance(document, str) else document or {"Version": "2012-10-17"})
    kept = [dict(one.given) for one in statements(policy) if one.given.get("Sid") != statement["Sid"]]
    return json.dumps(policy | {"Statement": [*kept, statement]}, separators=(",", ":"))
