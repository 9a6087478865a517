"""Exceptions of a profile against what a run judged: one with a wrong name excuses nothing, and nobody would notice.

A profile serves many places, and an exception need only hold in one of them. So each place tells what it met, and the
report of a run that saw all places of the profile what none met.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from data_protection.assessments import Assessment
from data_protection.checks.check import Requirement
from data_protection.contracts import ExceptionRow, FindingRow
from data_protection.profiles import Exception_, Profile
from data_protection.resources import GLOBAL, Kind, Place, Resource
from data_protection.selectors import fill


@dataclass(frozen=True)
class Misaimed:
    """An exception that is about nothing in any place of the estate with its profile.

    Attributes:
        row: The exception.
        places: In how many places nothing is met by it.
        sentence: What is wrong, with the nearest name.
    """

    row: ExceptionRow
    places: int
    sentence: str


def exception_rows(profile: Profile, assessment: Assessment, *, name: str) -> list[ExceptionRow]:
    """Return the exceptions that may be about something in a place, in order of the profile.

    Args:
        profile: Whose.
        assessment: By it, of everything in scope in the place.
        name: Of the profile, by which it is known.
    """
    place, scope = assessment.snapshot.place, profile.scope(assessment.snapshot.inventory)
    return [
        ExceptionRow(
            account=place.account,
            region=place.region,
            profile=name,
            check=one.check,
            kind=one.kind.value,
            name=one.name,
            owner=one.owner,
            expires=one.expires.isoformat(),
            aimed=_is_aimed(one, scope, assessment.unseen),
        )
        for one in profile.exceptions
        if place.is_home or one.kind not in GLOBAL
    ]


def _is_aimed(
    one: Exception_, scope: Mapping[Resource, Mapping[str, Requirement]], unseen: Collection[Kind]
) -> bool | None:
    # By what is in scope and not by findings, in which a key of several names may have only one of them.
    if any(one.check in asked and one.is_about(one.check, resource) for resource, asked in scope.items()):
        return True
    return None if one.kind in unseen else False


def misaimed(rows: Iterable[ExceptionRow], findings: Sequence[FindingRow]) -> list[Misaimed]:
    """Return the exceptions that are about nothing in any place, in order of their profiles.

    Args:
        rows: Of profiles, each from every place of the estate that is judged by it.
        findings: Of the run.
    """
    met: dict[tuple[str, str, str, str], list[ExceptionRow]] = {}
    for row in rows:
        met.setdefault(_key(row), []).append(row)
    return [
        Misaimed(same[0], len(same), _sentence(same, findings))
        for same in met.values()
        if all(row.aimed is False for row in same)
    ]


def ended(rows: Iterable[ExceptionRow], day: date) -> list[ExceptionRow]:
    """Return the exceptions that ended before a day and were not renewed, each once, in order of their profiles."""
    latest: dict[tuple[str, str, str, str], ExceptionRow] = {}
    for row in rows:
        known = latest.setdefault(_key(row), row)
        if known.expires < row.expires:
            latest[_key(row)] = row
    return [row for row in latest.values() if date.fromisoformat(row.expires) < day]


def _key(row: ExceptionRow) -> tuple[str, str, str, str]:
    return row.profile, row.check, row.kind, row.name


def _sentence(same: Sequence[ExceptionRow], findings: Sequence[FindingRow]) -> str:
    first = same[0]
    judged = [row for row in findings if (row.profile, row.kind) == (first.profile, first.kind)]
    names = {fill(row.name, Place(row.account, row.region)) for row in same}
    if there := sorted(names & {row.name for row in judged}):
        return f"{first.check} is not asked of {there[0]}: take the exception out, or correct its check."
    known = {row.name for row in judged if row.check == first.check}
    nearest = [match for name in sorted(names) for match in get_close_matches(name, known, n=1)]
    said = f"No {first.kind} in scope is called {min(names)}"
    return f"{said}; did you mean {nearest[0]}?" if nearest else f"{said}: correct the name, or take the exception out."
