from datetime import timedelta
from typing import Any

import pytest

from firewall_logs.contracts import Account, Omitted
from firewall_logs.days.contracts import ColumnProfile, Day, FeedProfile, Verdict
from firewall_logs.days.quality import LOOK_BACK, DayFigures, blocking, judge, reason, waived
from firewall_logs.days.rules import shipped
from tests.support.quality import DAY, FEED, a_profile, a_rule, arrivals, figures, rules, sealed


def verdict(day: DayFigures, name: str = "own", **rule: Any) -> Verdict:
    given = [a_rule(**rule)] if rule else []
    return next(found for found in judge(rules(*given), [FEED], day) if found.rule == name)


def test_a_good_day_passes_every_shipped_rule() -> None:
    found = judge(rules(), [FEED], figures(earlier=[sealed(n, 1000) for n in range(1, 8)]))
    assert [one.rule for one in found] == sorted(rule.name for rule in shipped())
    assert {one.level for one in found} == {"pass"}


def test_a_minimal_field_list_fails_no_shipped_rule() -> None:
    """Ten fields, no RuleID, Source or MatchIndex, whole seconds: floods look like duplicates."""
    profile = a_profile(1000, client_ip=ColumnProfile(present=1000)).model_copy(update={"duplicates": 4000})
    flood = arrivals(account=Account(rows_in=9000, rows_out=1000, duplicates=8000))
    found = judge(rules(), [FEED], figures(profiles={FEED: profile}, arrivals={FEED: flood}))
    assert {one.level for one in found} == {"pass", "warn"}
    assert {one.rule for one in found if one.level == "warn"} == {"duplicate-rate", "cross-object-duplicate-rate"}


def test_feeds_are_judged_that_are_configured_or_brought_something() -> None:
    found = judge(rules(), ["quiet"], figures(arrivals={"gone": arrivals()}))
    assert sorted({one.feed for one in found}) == ["47", "gone", "quiet"]


def test_a_feed_without_rows_has_nothing_to_measure() -> None:
    found = judge(rules(), ["quiet"], figures(profiles={}, arrivals={}))
    said = {one.rule: (one.level, one.figure, one.detail) for one in found if one.rule != "defect-objects"}
    assert {level for level, _, _ in said.values()} == {"pass"}
    assert {figure for _, figure, _ in said.values()} == {None}
    assert said["event-time-present"][2] == "there are no rows: nothing to measure"
    assert said["far-rows"][2] == "there are no rows of its objects: nothing to measure"
    assert said["rows-against-median"][2] == "0 earlier sealed days with rows to compare with, of 3"


def test_a_feed_that_usually_has_rows_and_has_none_fails() -> None:
    found = verdict(
        figures(profiles={}, arrivals={}, earlier=[sealed(n, 900 + n) for n in (1, 2, 3)]), "rows-against-median"
    )
    assert (found.level, found.figure, found.limit) == ("fail", 0, 0.1)
    assert found.detail.startswith("0 rows, and a median of 902 on 3 sealed days before (a feed that stops")


@pytest.mark.parametrize(
    ("earlier", "figure"),
    [
        ([sealed(n, 100) for n in (1, 2)], None),
        ([sealed(n, 100) for n in (1, 2, 3)], 10),
        # Of a week the median; older days do not count, nor do later ones and those never sealed.
        ([sealed(n, 1000) for n in range(1, 8)] + [sealed(n, 1) for n in range(8, 20)], 1),
        ([sealed(n, 100) for n in (1, 2)] + [sealed(-1, 100), sealed(0, 100), sealed(3, 100, version=0)], None),
        ([sealed(n, 100) for n in (1, 2)] + [sealed(LOOK_BACK.days + 1, 100)], None),
        ([sealed(n, 100) for n in (1, 2)] + [sealed(LOOK_BACK.days, 100)], 10),
        # A day on which a known feed had nothing counts; those before its first one do not.
        ([sealed(1, 100), sealed(2, 0), sealed(3, 100)], 10),
        ([sealed(1, 100), sealed(2, 100), sealed(3, 0), sealed(4, 0)], None),
        # A reopened day has the rows of its newest seal.
        ([sealed(n, 100, status="REOPENED", version=3) for n in (1, 2, 3)], 10),
        # A feed that has been silent for most of a week is silent.
        ([sealed(1, 0), sealed(2, 0), sealed(3, 0), sealed(4, 100)], None),
    ],
)
def test_rows_are_compared_with_the_last_sealed_days(earlier: list[Day], figure: float | None) -> None:
    assert verdict(figures(earlier=earlier), "rows-against-median").figure == figure
    assert verdict(figures(earlier=earlier[::-1]), "rows-against-median").figure == figure


def _column(**given: Any) -> DayFigures:
    return figures(profiles={FEED: a_profile(1000, **given)})


ACTIONS = ColumnProfile(present=800, values={"block": 600, "allow": 190, "zap": 3, "odd": 7})


@pytest.mark.parametrize(
    ("day", "rule", "figure", "detail"),
    [
        (
            _column(ray_id=ColumnProfile(present=990)),
            {"measure": "presence", "column": "ray_id", "fail": {"below": 0.5}},
            0.99,
            "990 of 1,000 rows have a value in ray_id",
        ),
        (_column(), {"measure": "presence", "column": "ray_id", "fail": {"above": 0.5}}, 0.0, "0 of 1,000 rows have"),
        (
            _column(),
            {"measure": "presence_if_sent", "column": "ray_id", "fail": {"below": 0.5}},
            None,
            "no row has a value in ray_id: the source does not send it",
        ),
        (
            _column(ray_id=ColumnProfile(present=10)),
            {"measure": "presence_if_sent", "column": "ray_id", "fail": {"above": 0.5}},
            0.01,
            "10 of 1,000 rows have a value in ray_id",
        ),
        (
            _column(client_asn=ColumnProfile(present=5, low=-3, high=70_000)),
            {"measure": "low", "column": "client_asn", "fail": {"below": -9}},
            -3,
            "-3 is the smallest value in client_asn, of 5",
        ),
        (
            _column(client_asn=ColumnProfile(present=5, low=-3, high=70_000)),
            {"measure": "high", "column": "client_asn", "fail": None},
            70_000,
            "70,000 is the largest value in client_asn, of 5",
        ),
        (
            _column(),
            {"measure": "high", "column": "client_asn", "fail": None},
            None,
            "there are no values in client_asn: nothing to measure",
        ),
        (
            _column(action=ACTIONS),
            {"measure": "membership", "column": "action", "fail": None},
            0.9875,
            "790 of 800 rows with a value in action have a known one; unknown: 'odd' 7, 'zap' 3",
        ),
        (
            _column(action=ACTIONS.model_copy(update={"values_omitted": Omitted(names=4, rows=390)})),
            {"measure": "membership", "column": "action", "fail": None},
            0.5,
            "400 of 800 rows with a value in action have a known one; unknown: 'odd' 7, 'zap' 3, 4 more",
        ),
        (
            _column(action=ACTIONS),
            {"measure": "membership", "column": "action", "values": ["BLOCK", "allow", "zap", "odd"], "fail": None},
            1.0,
            "800 of 800 rows with a value in action have a known one",
        ),
        (
            _column(action=ACTIONS),
            {"measure": "value_share", "column": "action", "values": ["Block"], "fail": None},
            0.75,
            "600 of 800 rows with a value in action have 'block'",
        ),
        (
            _column(action=ACTIONS),
            {"measure": "distinct_values", "column": "action", "fail": None},
            4,
            "4 different values in action: 'block' 600, 'allow' 190, 'odd' 7, 'zap' 3",
        ),
        (_column(), {"measure": "distinct_values", "column": "action"}, 0, "0 different values in action: none"),
        (figures(), {"measure": "rows"}, 1000, "1,000 rows"),
        (figures(arrivals={}), {"measure": "objects"}, 0, "0 objects"),
        (
            figures(profiles={FEED: FeedProfile(rows=90, duplicates=10)}),
            {"measure": "cross_object_duplicate_rate", "fail": {"above": 0.5}},
            0.1,
            "10 of 100 rows repeat one of another object",
        ),
        (
            figures(arrivals={FEED: arrivals(account=Account(rows_in=10, rows_out=7, quarantined=2, duplicates=1))}),
            {"measure": "quarantine_rate", "fail": {"above": 0.5}},
            0.2,
            "2 of 10 rows of its objects were quarantined",
        ),
        (
            figures(arrivals={FEED: arrivals(account=Account(rows_in=10, rows_out=7, quarantined=2, duplicates=1))}),
            {"measure": "duplicate_rate", "fail": {"above": 0.5}},
            0.1,
            "1 of 10 rows of its objects repeat one of the same object",
        ),
        (
            figures(arrivals={FEED: arrivals(objects=4, defects=1)}),
            {"measure": "defect_objects", "fail": {"above": 1}},
            1,
            "1 of 4 objects are quarantined whole",
        ),
        (
            figures(arrivals={FEED: arrivals(objects=4, defects=1)}),
            {"measure": "defect_rate", "fail": {"above": 0.5}},
            0.25,
            "1 of 4 objects are quarantined whole",
        ),
        (
            figures(arrivals={FEED: arrivals(spread_days=40)}),
            {"measure": "day_spread", "fail": {"above": 50}},
            40,
            "one object has rows of 40 days",
        ),
        (
            figures(arrivals={FEED: arrivals(far_rows=250)}),
            {"measure": "far_rows", "fail": {"above": 0.5}},
            0.25,
            "250 of 1,000 rows of its objects are over a day from its arrival",
        ),
    ],
    ids=lambda value: value["measure"] if isinstance(value, dict) else "",
)
def test_measure_tells_its_figure_and_what_it_is_made_of(
    day: DayFigures, rule: dict[str, Any], figure: float | None, detail: str
) -> None:
    found = verdict(day, **rule)
    assert (found.figure, found.measure) == (figure, rule["measure"])
    assert found.detail.startswith(detail)


@pytest.mark.parametrize(
    ("rows", "level", "limit"),
    [(1, "fail", 2), (2, "warn", 5), (4, "warn", 5), (5, "pass", 2), (100, "pass", 100), (101, "fail", 100)],
)
def test_a_limit_is_broken_beyond_it(rows: int, level: str, limit: float) -> None:
    found = verdict(
        figures(profiles={FEED: a_profile(rows)}), measure="rows", warn={"below": 5}, fail={"below": 2, "above": 100}
    )
    assert (found.level, found.limit) == (level, limit)


def test_a_rule_without_limits_is_measured_and_passes() -> None:
    found = verdict(figures(), measure="rows", fail=None)
    assert (found.level, found.figure, found.limit) == ("pass", 1000, None)


def test_a_broken_limit_says_why_it_matters() -> None:
    assert verdict(figures(), measure="rows", fail={"above": 1}).detail == "1,000 rows (because)"


def test_failures_block_unless_they_are_waived() -> None:
    verdicts = judge(rules(a_rule(measure="rows", fail={"above": 1})), [FEED], figures())
    assert [one.rule for one in blocking(verdicts, [])] == ["own"]
    assert not blocking(verdicts, ["47/own"])
    assert waived(verdicts, ["47/own", "47/quarantine-rate", "3/own"]) == ["47/own"]
    assert reason(blocking(verdicts, [])) == "1 quality rule failed. 47/own: 1,000 rows (because)."


def test_the_day_itself_is_not_compared_with_itself() -> None:
    days = [sealed(0, 1), *(sealed(n, 1000) for n in (1, 2, 3))]
    later = figures(event_date=DAY + timedelta(1), earlier=days)
    assert verdict(figures(earlier=days), "rows-against-median").figure == 1
    assert verdict(later, "rows-against-median").detail.startswith("1,000 rows, and a median of 1,000 on 4")
