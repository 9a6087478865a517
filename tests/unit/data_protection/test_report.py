from datetime import timedelta

import pytest

from data_protection.reports.report import Report
from data_protection.verdicts import Status
from tests.support.data_protection_reports import TIME, conflict, excepted, look, past, report, row

PASS, FAIL, WARN, UNKNOWN = Status.PASS, Status.FAIL, Status.WARN, Status.UNKNOWN


def test_score_is_over_all_places_as_of_one() -> None:
    found = report(
        look([row("DDB-PITR", PASS), row("DDB-TTL", FAIL)]),
        look([row("DDB-PITR", PASS), row("DDB-TTL", UNKNOWN)], region="eu-west-1"),
    )

    assert (found.score.percent, found.score.coverage) == (66.6, 75.0)


@pytest.mark.parametrize(
    ("found", "compliant"),
    [
        (report(look([row("DDB-PITR", PASS)])), True),
        (report(look([row("DDB-PITR", PASS), row("DDB-TTL", UNKNOWN)])), False),
        (report(look([row("DDB-PITR", PASS)]), failures=["1 in eu-west-1: AccessRefused"]), False),
    ],
    ids=["all known", "one unknown", "one place not assessed"],
)
def test_only_a_whole_that_is_known_is_compliant(found: Report, *, compliant: bool) -> None:
    assert found.compliant is compliant


def test_trend_leaves_out_runs_that_saw_only_some_places() -> None:
    found = report(
        look([row("DDB-PITR", PASS)], past=[past(1, 3, 1), past(2, 1, 1)]),
        look([row("DDB-PITR", PASS)], region="eu-west-1", past=[past(2, 1, 1)]),
    )

    assert [(point.run, point.score.percent) for point in found.trend.points] == [
        ("daily-2-ago", 50.0),
        ("daily-2", 100.0),
    ]
    assert found.trend.left_out == 1


def test_trend_leaves_out_runs_by_another_profile() -> None:
    before = [past(1, 0, 9, profile="strict"), past(2, 1, 1), past(3, 1, 1, profile="")]
    found = report(look([row("DDB-PITR", PASS)], past=before))

    assert [point.run for point in found.trend.points] == ["daily-2-ago", "daily-2"]
    assert found.trend.left_out == 2


def test_what_to_do_begins_with_the_gravest_and_then_what_mends_most() -> None:
    steps = report(
        look(
            [
                row("DDB-TTL", FAIL),
                row("DDB-PITR", WARN),
                row("DDB-KMS", FAIL),
                row("S3-VERSION", FAIL, "a"),
                row("S3-VERSION", FAIL, "b", since=TIME - timedelta(days=9)),
                row("S3-VERSION", PASS, "c"),
            ]
        )
    ).steps

    assert [step.check.id for step in steps] == ["S3-VERSION", "DDB-KMS", "DDB-PITR", "DDB-TTL"]
    assert [one.name for one in steps[0].rows] == ["b", "a"]


def test_changes_are_those_against_the_last_look() -> None:
    now = [
        row("DDB-PITR", FAIL),
        row("DDB-TTL", PASS),
        row("DDB-KMS", UNKNOWN),
        row("DDB-STREAM", WARN),
        row("DDB-DELPROT", FAIL),
    ]
    before = [
        row("DDB-PITR", PASS),
        row("DDB-TTL", FAIL),
        row("DDB-KMS", PASS),
        row("DDB-STREAM", FAIL),
        row("DDB-PITR", PASS, "dropped"),
    ]
    changes = report(look(now, former=before)).changes

    assert [one.check for one in changes.broken] == ["DDB-PITR", "DDB-DELPROT"]
    assert [one.check for one in changes.fixed] == ["DDB-TTL"]
    assert [one.check for one in changes.unknown] == ["DDB-KMS"]
    assert [one.name for one in changes.gone] == ["dropped"]


def test_a_place_that_was_never_looked_at_tells_no_changes() -> None:
    found = report(look([row("DDB-PITR", FAIL)], region="eu-west-1"), look([row("DDB-TTL", PASS)], former=[]))

    assert not found.changes.broken


def test_runs_whose_profile_is_not_known_are_compared_with_none() -> None:
    found = report(look([], profile="", past=[past(1, 1, 1, profile="")], former=[]))

    assert (len(found.trend.points), found.trend.left_out, found.compared) == (1, 1, [])


def test_changes_say_with_which_runs_they_compare() -> None:
    earlier = [past(1, 1, 0, profile="strict"), past(2, 1, 0)]
    found = report(
        look([row("DDB-PITR", FAIL)], past=earlier, former=[row("DDB-PITR", PASS)]),
        look([row("DDB-PITR", FAIL)], region="eu-west-1", past=[past(5, 1, 0)], former=[]),
        look([row("DDB-PITR", FAIL)], region="eu-west-2"),
    )

    assert [one.run for one in found.compared] == ["daily-5-ago", "daily-2-ago"]


def test_a_step_tells_each_reason_once_those_of_failures_first() -> None:
    rows = [
        row("DDB-PITR", WARN, "a", reason="It goes back 7 days."),
        row("DDB-PITR", WARN, "b", reason="It goes back 7 days."),
        row("DDB-PITR", FAIL, "c", reason="It is off."),
    ]
    [step] = report(look(rows)).steps

    assert step.reasons == ["It is off.", "It goes back 7 days."]
    assert step.counts == {FAIL: 1, WARN: 2}


def test_a_conflict_is_told_once_with_all_its_resources() -> None:
    both = [conflict(name="b", arn="b"), conflict(conflict="CHECK-COUNT"), conflict(name="a", arn="a")]

    assert [[one.name for one in clash.rows] for clash in report(look([], conflicts=both)).clashes] == [
        ["orders"],
        ["a", "b"],
    ]


def test_an_exception_expires_soon_from_thirty_days_before() -> None:
    found = report(look([excepted("DDB-PITR", days=31), excepted("DDB-TTL", days=30)]))

    assert [(one.check, found.expires_soon(one)) for one in found.exceptions] == [
        ("DDB-TTL", True),
        ("DDB-PITR", False),
    ]
