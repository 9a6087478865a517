"""Findings for reports, made by hand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import ConflictRow, ExceptionRow, FindingRow
from data_protection.reports.report import Look, PastScore, Report
from data_protection.resources import Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import PLACE

TIME: Final = datetime(2026, 11, 21, 5, tzinfo=UTC)


def row(check: str, status: Status, name: str = "orders", **given: Any) -> FindingRow:
    """Return a finding, in all that is not given one as an assessment makes it."""
    found = catalogue()[check]
    values: dict[str, Any] = {
        "run": "daily-2",
        "time": TIME,
        "account": PLACE.account,
        "region": PLACE.region,
        "profile": "rfc-008",
        "check": check,
        "severity": found.severity.value,
        "kind": found.kind.value,
        "name": name,
        "arn": Resource(found.kind, PLACE, name).arn,
        "status": status,
        "judged": Status.FAIL if status is Status.EXCEPTED else status,
        "reason": f"It is {status.value}.",
        "observed": {"status": status.value},
        "expected": {"status": "ENABLED"},
        "since": TIME,
    }
    return FindingRow.model_validate(values | given)


def excepted(check: str, name: str = "orders", *, days: int = 90, **given: Any) -> FindingRow:
    """Return a finding that somebody answers for some more days."""
    expires = (TIME + timedelta(days=days)).date().isoformat()
    return row(
        check, Status.EXCEPTED, name, **{"owner": "team-a", "expires": expires, "excuse": "It goes in May.", **given}
    )


def conflict(**given: str) -> ConflictRow:
    """Return a conflict."""
    values = {
        "account": PLACE.account,
        "region": PLACE.region,
        "conflict": "RPO-PITR",
        "title": "An RPO of five minutes leaves no margin",
        "between": ("RPO", "DDB-PITR"),
        "ways_out": "State another RPO.",
        "arn": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
        "name": "orders",
        "sentence": "At most 5 minutes of orders may be lost.",
    }
    return ConflictRow.model_validate(values | given)


def past(days: int, passed: int, failed: int, unknown: int = 0, profile: str = "rfc-008") -> PastScore:
    """Return the score of a run some days ago."""
    counts = {Status.PASS: passed, Status.FAIL: failed, Status.UNKNOWN: unknown}
    return PastScore(f"daily-{days}-ago", TIME - timedelta(days=days), profile, counts)


def exception(name: str, *, aimed: bool | None, check: str = "DDB-PITR", **given: str) -> ExceptionRow:
    """Return an exception, as a place met it."""
    values = {"account": PLACE.account, "region": PLACE.region, "profile": "rfc-008", "owner": "team-a"}
    kind = catalogue()[check].kind.value
    return ExceptionRow.model_validate(
        {**values, "check": check, "kind": kind, "name": name, "expires": "2027-06-30", "aimed": aimed, **given}
    )


def look(
    rows: Sequence[FindingRow],
    *,
    region: str = PLACE.region,
    past: Sequence[PastScore] = (),
    former: Sequence[FindingRow] | None = None,
    conflicts: Sequence[ConflictRow] = (),
    exceptions: Sequence[ExceptionRow] = (),
    profile: str = "rfc-008",
) -> Look:
    """Return what a run saw of a place."""
    return Look(PLACE.account, region, profile, rows, conflicts, exceptions, past, former)


def report(*looks: Look, failures: Sequence[str] = (), whole_profiles: Mapping[str, int] | None = None) -> Report:
    """Return the report of these places, which are all of the estate if not said otherwise."""
    whole = Counter(look.profile for look in looks)
    return Report("daily-2", TIME, "prod", looks, failures, whole if whole_profiles is None else whole_profiles)
