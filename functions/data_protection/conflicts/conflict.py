"""What a conflict is: two requirements that cannot both be met, or of which one makes the other worthless.

A conflict is one module of this package that names its `CONFLICT`; `conflicts.catalogue` finds it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from data_protection.checks.check import Case
from data_protection.resources import Resource


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A kind of conflict.

    Attributes:
        id: As `LOG-TARGET-LOCK`; unique.
        title: What cannot be had at once.
        between: Ids of the two requirements: of checks, of published controls, or RPO and RTO.
        ways_out: What can be decided, one or two sentences.
        detect: From all cases of a place, yields each resource in conflict, and a sentence that says why; pure.
    """

    id: str
    title: str
    between: tuple[str, str]
    ways_out: str
    detect: Callable[[Sequence[Case[Any]]], Iterable[tuple[Resource, str]]]
