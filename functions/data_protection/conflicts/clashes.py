"""Conflicts as they are found in a place: what reports show and plans warn of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_protection.checks.check import Case
from data_protection.conflicts.catalogue import catalogue
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


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
    """Return the conflicts among all cases of a place, by conflict, then resource."""
    return [
        Clash(conflict, resource, sentence)
        for conflict in catalogue().values()
        for resource, sentence in sorted(conflict.detect(cases))
    ]
