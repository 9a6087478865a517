"""Conflicts as they are found in a place: what reports show and plans warn of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_protection.checks.check import Case
from data_protection.conflicts.catalogue import catalogue
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource, account_of
from data_protection.snapshot import NotRead, ResourceMissing


@dataclass(frozen=True)
class Clash:
    """A conflict on a resource.

    Attributes:
        conflict: Which.
        resource: In conflict.
        sentence: Why, for people.
    """

    conflict: Conflict
    resource: Resource
    sentence: str


def clashes(cases: Sequence[Case[Any]]) -> list[Clash]:
    """Return the conflicts among all cases of a place, by conflict, then resource.

    One that cannot be looked for, as AWS answered in a form that it does not know, is told as one of the account: what
    it may have missed is not passed over, and the others are told all the same.
    """
    return [clash for conflict in catalogue().values() for clash in _of(conflict, cases)]


def _of(conflict: Conflict, cases: Sequence[Case[Any]]) -> list[Clash]:
    try:
        return [Clash(conflict, resource, sentence) for resource, sentence in sorted(conflict.detect(cases))]
    except (NotRead, ResourceMissing, LookupError, TypeError, ValueError, AttributeError) as error:
        account = account_of(cases[0].snapshot.place)
        return [Clash(conflict, account, f"It cannot be told whether it is so: {type(error).__name__}: {error}.")]
