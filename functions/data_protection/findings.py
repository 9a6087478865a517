"""Findings as they are kept: one row each, with since when it is so."""

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from data_protection.assessments import Assessment, Finding
from data_protection.checks.catalogue import catalogue
from data_protection.conflicts.clashes import Clash
from data_protection.contracts import ConflictRow, FindingRow
from data_protection.resources import named
from data_protection.verdicts import Status
from kernel.contracts import Contract


@dataclass(frozen=True)
class Standing:
    """How a finding stood at the last look.

    Attributes:
        status: Then.
        since: Since when.
        best: The best status that was seen since somebody answered for a failure, if ever. None where none was.
        undone_until: Where a plan is about to undo what it rests on, by when that is done. None where nobody is.
        look: Name of the look that saw it first; empty where that was not kept.
    """

    status: Status
    since: datetime
    best: Status | None = None
    undone_until: datetime | None = None
    look: str = field(default="", compare=False)

    @property
    def known(self) -> Status | None:
        """The best status that counts: what is worse is drift. None where none is, or a plan is to undo it."""
        return self.best if self.undone_until is None else None


_OF_A_PLAN: Final = re.compile(r"remediation-([0-9a-f]{64})")
_GRAVEST_FIRST: Final = (
    Status.FAIL,
    Status.UNKNOWN,
    Status.WARN,
    Status.EXCEPTED,
    Status.PASS,
    Status.NOT_APPLICABLE,
)
_BEST_FIRST: Final = (Status.PASS, Status.NOT_APPLICABLE, Status.WARN, Status.FAIL)


def look_of(plan: str) -> str:
    """Return the name of the looks that see what the steps of a plan have changed."""
    return f"remediation-{plan}"


def plan_of(look: str) -> str:
    """Return the hash of the plan whose change a look has seen; empty for any other look."""
    found = _OF_A_PLAN.fullmatch(look)
    return found[1] if found else ""


def best_of(status: Status, before: Status | None) -> Status | None:
    """Return the best status that is known, with one more; an exception makes all before it forgotten."""
    if status is Status.EXCEPTED:
        return None
    known = [one for one in (status, before) if one in _BEST_FIRST]
    return min(known, key=_BEST_FIRST.index, default=None)


def standing_after(row: FindingRow, before: Standing | None) -> Standing:
    """Return how a finding stands after a look.

    Nothing counts as known any more of what was to be undone by a time that is over, as nobody has kept how that ended.
    """
    until = before.undone_until if before is not None else None
    is_expected = until is not None and row.time < until
    if before is None or (until is not None and not is_expected):
        return Standing(row.status, row.since, best_of(row.status, None))
    return Standing(row.status, row.since, best_of(row.status, before.best), until)


def rows(
    assessment: Assessment, *, run: str, profile: str, standings: Mapping[tuple[str, str], Standing]
) -> list[FindingRow]:
    """Return the findings of an assessment as rows, one of each check on a resource.

    A resource that goes by two names, as a key by its alias and its id, has the graver of its findings. What is known
    from before and could not be listed is unknown now: it neither vanishes nor is it said to be gone.

    Args:
        assessment: The findings.
        run: By which they came.
        profile: Name of it.
        standings: Of the last look, by check and ARN.
    """
    place, time = assessment.snapshot.place, assessment.snapshot.taken_at
    look = {"run": run, "time": time, "account": place.account, "region": place.region, "profile": profile}
    found: dict[tuple[str, str], Finding] = {}
    for finding in assessment.findings:
        pair = finding.check.id, finding.resource.arn
        if pair not in found or _gravity(finding) < _gravity(found[pair]):
            found[pair] = finding
    unseen = {check.id for check in catalogue().values() if check.kind in assessment.unseen}
    kept = sorted(pair for pair in standings.keys() - found.keys() if pair[0] in unseen)
    return [
        *(_row(finding, look, standings.get(pair)) for pair, finding in found.items()),
        *(_unseen(*pair, assessment, look, standings[pair]) for pair in kept),
    ]


def _gravity(finding: Finding) -> int:
    return _GRAVEST_FIRST.index(finding.status)


def _row(finding: Finding, look: Mapping[str, Any], standing: Standing | None) -> FindingRow:
    exception = finding.exception
    return FindingRow(
        **look,
        check=finding.check.id,
        severity=finding.check.severity.value,
        kind=finding.resource.kind.value,
        name=finding.resource.name,
        arn=finding.arn,
        status=finding.status,
        judged=finding.verdict.status,
        reason=finding.verdict.reason,
        observed=finding.verdict.observed,
        expected=finding.verdict.expected,
        owner=exception.owner if exception else "",
        expires=exception.expires.isoformat() if exception else "",
        excuse=exception.reason if exception else "",
        since=_since(finding.status, standing, look),
        before=standing.status if standing is not None else None,
    )


def _unseen(check_id: str, arn: str, assessment: Assessment, look: Mapping[str, Any], standing: Standing) -> FindingRow:
    check = catalogue()[check_id]
    return FindingRow(
        **look,
        check=check_id,
        severity=check.severity.value,
        kind=check.kind.value,
        name=named(check.kind, assessment.snapshot.place, arn).name,
        arn=arn,
        status=Status.UNKNOWN,
        judged=Status.UNKNOWN,
        reason="It was in scope before. What is in scope now could not be listed, and SCOPE-LISTED says why.",
        observed=None,
        expected=None,
        since=_since(Status.UNKNOWN, standing, look),
        before=standing.status,
    )


def _since(status: Status, standing: Standing | None, look: Mapping[str, Any]) -> datetime:
    time: datetime = look["time"]
    return standing.since if standing is not None and standing.status is status else time


def conflict_rows(clashes: Iterable[Clash]) -> list[ConflictRow]:
    """Return conflicts as rows, in their order."""
    return [
        ConflictRow(
            account=clash.resource.place.account,
            region=clash.resource.place.region,
            conflict=clash.conflict.id,
            title=clash.conflict.title,
            between=clash.conflict.between,
            ways_out=clash.conflict.ways_out,
            arn=clash.resource.arn,
            name=clash.resource.name,
            sentence=clash.sentence,
        )
        for clash in clashes
    ]


def document(rows: Iterable[Contract]) -> bytes:
    """Return rows as gzipped JSON lines; equal rows make equal bytes."""
    return gzip.compress(b"".join(row.model_dump_json().encode() + b"\n" for row in rows), mtime=0)


def lines(document: bytes) -> list[bytes]:
    """Return the JSON lines of a document."""
    return gzip.decompress(document).splitlines()
