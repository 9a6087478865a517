"""Findings as they are kept: one row each, with since when it is so."""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from data_protection.assessments import Assessment, Finding
from data_protection.conflicts.clashes import Clash
from data_protection.contracts import ConflictRow, Contract, FindingRow
from data_protection.verdicts import Status


@dataclass(frozen=True)
class Standing:
    """How a finding stood at the last look.

    Attributes:
        status: Then.
        since: Since when.
        best: The best status that was known since somebody answered for a failure, if ever; what is worse is drift.
            None where none is known.
    """

    status: Status
    since: datetime
    best: Status | None = None


_BEST_FIRST: Final = (Status.PASS, Status.NOT_APPLICABLE, Status.WARN, Status.FAIL)


def best_of(status: Status, before: Status | None) -> Status | None:
    """Return the best status that is known, with one more; an exception makes all before it forgotten."""
    if status is Status.EXCEPTED:
        return None
    known = [one for one in (status, before) if one in _BEST_FIRST]
    return min(known, key=_BEST_FIRST.index, default=None)


def standing_after(row: FindingRow, before: Standing | None) -> Standing:
    """Return how a finding stands after a look."""
    return Standing(row.status, row.since, best_of(row.status, before.best if before is not None else None))


def rows(
    assessment: Assessment, *, run: str, profile: str, standings: Mapping[tuple[str, str], Standing]
) -> list[FindingRow]:
    """Return the findings of an assessment as rows.

    Args:
        assessment: The findings.
        run: By which they came.
        profile: Name of it.
        standings: Of the last look, by check and ARN.
    """
    return [
        _row(finding, assessment, run, profile, standings.get((finding.check.id, finding.resource.arn)))
        for finding in assessment.findings
    ]


def _row(finding: Finding, assessment: Assessment, run: str, profile: str, standing: Standing | None) -> FindingRow:
    time, place = assessment.snapshot.taken_at, assessment.snapshot.place
    exception = finding.exception
    return FindingRow(
        run=run,
        time=time,
        account=place.account,
        region=place.region,
        profile=profile,
        check=finding.check.id,
        severity=finding.check.severity.value,
        kind=finding.resource.kind.value,
        name=finding.resource.name,
        arn=finding.resource.arn,
        status=finding.status,
        judged=finding.verdict.status,
        reason=finding.verdict.reason,
        observed=finding.verdict.observed,
        expected=finding.verdict.expected,
        owner=exception.owner if exception else "",
        expires=exception.expires.isoformat() if exception else "",
        excuse=exception.reason if exception else "",
        since=standing.since if standing is not None and standing.status is finding.status else time,
        before=standing.status if standing is not None else None,
    )


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
