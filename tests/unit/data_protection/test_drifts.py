"""When a finding is drift, and when drift is over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.assessments import Assessment, Finding
from data_protection.checks.catalogue import catalogue
from data_protection.drift.drifts import Comparison, Drift, Ending, compare
from data_protection.drift.policy import DriftPolicy
from data_protection.drift.touches import Cause
from data_protection.errors import ProfileInvalid
from data_protection.findings import Standing, best_of, rows, standing_after
from data_protection.profiles import parse
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_account import NOW, ORDERS, PLACE, all_cases

PAIR = ("DDB-PITR", ORDERS.arn)
CAUSE = Cause(by="alice", call="UpdateContinuousBackups", event="e-1", at=NOW - timedelta(seconds=30))
PASS, WARN, FAIL, UNKNOWN, EXCEPTED = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.EXCEPTED


def finding(status: Status, *, settling: bool = False) -> Finding:
    [case] = all_cases({}, {ORDERS: {"DDB-PITR": {}}})
    return Finding(catalogue()["DDB-PITR"], case, status, Verdict(status, "It is so.", settling=settling))


def compared(found: Finding | None, best: Status | None = None, **others: Any) -> Comparison:
    standing = Standing(best or PASS, NOW - timedelta(days=1), best)
    return compare(
        PLACE,
        [found] if found is not None else [],
        **{
            "standings": {PAIR: standing},
            "opened": {},
            "cause": lambda _check, _resource: None,
            "whole": False,
            "look": "sweep-1",
            "now": NOW,
            **others,
        },
    )


def drift(before: Status = PASS) -> Drift:
    [found] = compared(finding(FAIL), before).found
    return found


@pytest.mark.parametrize(
    ("best", "status", "touched", "is_drift"),
    [
        (PASS, FAIL, False, True),
        (PASS, FAIL, True, True),
        (WARN, FAIL, False, True),
        (Status.NOT_APPLICABLE, FAIL, False, True),
        (PASS, WARN, True, True),
        # Nobody did it: a log that came yesterday, a moment to restore to that lags behind.
        (PASS, WARN, False, False),
        (PASS, PASS, True, False),
        (PASS, UNKNOWN, True, False),
        (PASS, EXCEPTED, True, False),
        (FAIL, FAIL, True, False),
        (WARN, WARN, True, False),
        (None, FAIL, True, False),
    ],
)
def test_drift_is_what_is_worse_than_it_was_known_to_be(
    best: Status | None, status: Status, *, touched: bool, is_drift: bool
) -> None:
    made = compared(finding(status), best, cause=lambda _check, _resource: CAUSE if touched else None)

    assert [one.status for one in made.found] == ([status] if is_drift else [])


def test_what_was_never_looked_at_before_is_no_drift() -> None:
    assert compared(finding(FAIL), standings={}).found == []


def test_what_still_settles_is_neither_drift_nor_its_end() -> None:
    assert compared(finding(FAIL, settling=True), PASS).found == []
    made = compared(finding(WARN, settling=True), WARN, opened={PAIR: drift(WARN)})
    assert (made.fixed, len(made.open)) == ([], 1)


def test_drift_tells_who_changed_what_and_since_when() -> None:
    [found] = compared(finding(FAIL), PASS, cause=lambda _check, _resource: CAUSE).found

    assert (found.by, found.call, found.event, found.since, found.found) == (
        "alice",
        "UpdateContinuousBackups",
        "e-1",
        CAUSE.at,
        NOW,
    )
    assert found.resource == ORDERS
    [again] = compared(finding(FAIL), PASS, cause=lambda _check, _resource: CAUSE, now=NOW + timedelta(minutes=1)).found
    assert again.id == found.id, "the same change is the same drift, whenever it is found"


@pytest.mark.parametrize(
    ("before", "status", "fixed"),
    [(PASS, PASS, True), (WARN, WARN, True), (WARN, PASS, True), (PASS, WARN, False), (PASS, UNKNOWN, False)],
)
def test_drift_is_over_when_the_resource_is_as_good_as_before(before: Status, status: Status, *, fixed: bool) -> None:
    opened = drift(before)
    made = compared(finding(status), before, opened={PAIR: opened})

    assert ([end.drift for end in made.fixed], made.open) == (([opened], []) if fixed else ([], [opened]))
    assert made.found == []


@pytest.mark.parametrize("status", [FAIL, UNKNOWN])
def test_drift_that_another_look_saw_mended_is_over_and_what_comes_after_is_another(status: Status) -> None:
    first, mended, later = drift(), NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    again = replace(CAUSE, by="bob", at=later - timedelta(seconds=1))

    made = compared(
        finding(status),
        opened={PAIR: first},
        standings={PAIR: Standing(PASS, mended, PASS)},
        cause=lambda _check, _resource: again,
        now=later,
    )

    assert [(end.drift, end.ended, end.by) for end in made.fixed] == [(first, mended, "")]
    assert [(one.by, one.since, one.id != first.id) for one in made.found] == (
        [("bob", again.at, True)] if status is FAIL else []
    )
    assert made.open == []


PLAN = "a" * 64


@pytest.mark.parametrize(
    ("look", "touched", "told"),
    [
        (f"remediation-{PLAN}", None, ("gatehouse", PLAN)),
        (f"remediation-{PLAN}", 30, ("gatehouse", PLAN)),
        ("daily", None, ("", "")),
        ("daily", 30, ("bob", "")),
        # Who broke it, told of once more, and who came when it was mended already.
        ("daily", -30, ("", "")),
        ("daily", 90, ("", "")),
    ],
)
def test_drift_that_another_look_saw_mended_says_who_did_it_as_far_as_that_is_known(
    look: str, touched: int | None, told: tuple[str, str]
) -> None:
    mended, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    bob = replace(CAUSE, by="bob", at=NOW + timedelta(seconds=touched or 0)) if touched is not None else None

    [end] = compared(
        finding(PASS),
        opened={PAIR: drift()},
        standings={PAIR: Standing(PASS, mended, PASS, look=look)},
        cause=lambda _check, _resource: bob,
        now=later,
    ).fixed

    assert (end.ended, end.look, end.seconds) == (mended, look, 60)
    assert (end.by, end.plan) == told


@pytest.mark.parametrize(
    ("status", "before", "seconds"), [(PASS, PASS, 0), (WARN, PASS, 60), (UNKNOWN, PASS, 60), (PASS, PASS, 600)]
)
def test_drift_is_open_until_a_look_since_has_seen_it_as_good_as_before(
    status: Status, before: Status, seconds: int
) -> None:
    first = drift(before)
    standing = Standing(status, NOW + timedelta(seconds=seconds), PASS)

    made = compared(finding(FAIL), opened={PAIR: first}, standings={PAIR: standing}, now=NOW + timedelta(minutes=2))

    assert (made.open, made.fixed, made.found) == ([first], [], [])


def test_an_exception_ends_drift_without_a_fix() -> None:
    made = compared(finding(EXCEPTED), PASS, opened={PAIR: drift()})
    assert ([end.how for end in made.closed], made.fixed, made.open) == ([Ending.EXCEPTED], [], [])


@pytest.mark.parametrize("whole", [True, False])
def test_only_a_look_at_everything_tells_that_something_is_out_of_scope(*, whole: bool) -> None:
    assert len(compared(None, opened={PAIR: drift()}, whole=whole).closed) == whole


def test_a_look_that_was_overtaken_by_a_later_one_changes_nothing() -> None:
    later = drift().model_copy(update={"found": NOW + timedelta(seconds=5)})
    assert compared(finding(PASS), opened={PAIR: later}).fixed == []
    overtaken = {PAIR: Standing(PASS, NOW + timedelta(seconds=5), PASS)}
    assert compared(finding(FAIL), standings=overtaken).found == []


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        ([FAIL], FAIL),
        ([FAIL, PASS], PASS),
        ([PASS, FAIL, UNKNOWN], PASS),
        ([PASS, WARN], PASS),
        ([PASS, EXCEPTED], None),
        ([PASS, EXCEPTED, FAIL], FAIL),
        ([UNKNOWN], None),
    ],
)
def test_the_best_that_was_known_is_remembered_until_somebody_answers_for_less(
    statuses: list[Status], best: Status | None
) -> None:
    known: Status | None = None
    for status in statuses:
        known = best_of(status, known)
    assert known is best


def test_a_standing_remembers_the_best_through_looks() -> None:
    case = finding(FAIL).case
    assessment = Assessment(replace(case.snapshot, taken_at=NOW), [finding(FAIL)])
    [row] = rows(assessment, run="r", profile="p", standings={})
    assert standing_after(row, Standing(PASS, NOW, PASS)) == Standing(FAIL, NOW, PASS)
    assert standing_after(row, None) == Standing(FAIL, NOW, FAIL)


@pytest.mark.parametrize(
    ("status", "minutes", "known", "best"),
    [
        (PASS, 10, None, PASS),
        (WARN, 10, None, PASS),
        (UNKNOWN, 10, None, PASS),
        (EXCEPTED, 10, None, None),
        (PASS, 0, PASS, PASS),
        (FAIL, 0, FAIL, FAIL),
    ],
)
def test_nothing_better_is_known_of_what_is_about_to_be_undone_until_that_is_not_done(
    status: Status, minutes: int, known: Status | None, best: Status | None
) -> None:
    case = finding(status).case
    assessment = Assessment(replace(case.snapshot, taken_at=NOW), [finding(status)])
    before = Standing(PASS, NOW, PASS, undone_until=NOW + timedelta(minutes=minutes))
    [row] = rows(assessment, run="r", profile="p", standings={PAIR: before})

    after = standing_after(row, before)

    assert (after.status, after.known, after.best) == (status, known, best)
    assert after.undone_until == (before.undone_until if minutes else None)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("DDB-PITT", "there is no check DDB-PITT"),
        ("IAM-LEAST", "IAM-LEAST has no change that would fix it"),
        ("S3-LOCK", "changes of S3-LOCK are of class E"),
        ("DDB-KMS", "changes of DDB-KMS are of class B"),
        ("S3-LIFECYCLE", "changes of S3-LIFECYCLE are of class D"),
        ("S3-INTTIER", "changes of S3-INTTIER are of class D"),
        ("DDB-SCALE", "DDB-SCALE belongs to phase 3, which always needs an approval"),
        ("RDS-TLS", "RDS-TLS belongs to phase 3, which always needs an approval"),
    ],
)
def test_only_what_comes_back_entirely_may_be_fixed_without_asking(check: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DriftPolicy(fix=frozenset({check}))


def test_a_profile_says_what_may_be_fixed() -> None:
    rules = "name: p\nrules: [{kind: account, requires: {CT-LOGGING: {}}}]\n"

    assert parse(rules).drift == DriftPolicy(fix=frozenset(), fixes_an_hour=3, freeze_hours=24)
    assert parse(rules + "drift: {fix: [CT-LOGGING, DDB-PITR]}").drift.fix == {"CT-LOGGING", "DDB-PITR"}
    with pytest.raises(ProfileInvalid, match=r"does not hold\. `drift\.fix`: "):
        parse(rules + "drift: {fix: [S3-LOCK]}")
