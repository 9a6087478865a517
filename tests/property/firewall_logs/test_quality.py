"""What holds for every day and every document of rules."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firewall_logs.contracts import Account, Omitted
from firewall_logs.days.contracts import ColumnProfile, Day, FeedArrivals, FeedProfile
from firewall_logs.days.measures import KNOWN_VALUES, MEASURES
from firewall_logs.days.quality import DayFigures, judge
from firewall_logs.days.rules import Rules, shipped
from firewall_logs.errors import RulesInvalid
from tests.support.quality import DAY, a_rule, rules

FEEDS = ("2.ford", "3", "47")
LEVELS = {"pass": 0, "warn": 1, "fail": 2}
COUNTS = st.integers(0, 10**12)


@st.composite
def profiles(draw: st.DrawFn) -> FeedProfile:
    rows = draw(COUNTS)
    columns = {}
    for name in draw(st.lists(st.sampled_from(["event_time", "ray_id", "edge_response_status", *KNOWN_VALUES]))):
        present = draw(st.integers(0, rows))
        listed = draw(st.integers(0, present)) if name in KNOWN_VALUES else 0
        odd = draw(st.integers(0, listed))
        known = min(KNOWN_VALUES.get(name, {""}))
        columns[name] = ColumnProfile(
            present=present,
            low=0 if name == "edge_response_status" and present else None,
            high=draw(st.integers(0, 999)) if name == "edge_response_status" and present else None,
            values={known: listed - odd, "ödd": odd} if name in KNOWN_VALUES else {},
            values_omitted=Omitted(names=1, rows=present - listed) if name in KNOWN_VALUES else Omitted(),
        )
    return FeedProfile(rows=rows, duplicates=draw(COUNTS), columns=columns)


@st.composite
def all_arrivals(draw: st.DrawFn) -> FeedArrivals:
    rows_out, quarantined, duplicates = (draw(COUNTS) for _ in range(3))
    objects = draw(st.integers(0, 10_000))
    account = Account(
        rows_in=rows_out + quarantined + duplicates, rows_out=rows_out, quarantined=quarantined, duplicates=duplicates
    )
    return FeedArrivals(
        objects=objects,
        defects=draw(st.integers(0, objects)),
        account=account,
        spread_days=draw(st.integers(0, 4000)),
        far_rows=draw(st.integers(0, rows_out)),
    )


@st.composite
def days(draw: st.DrawFn) -> DayFigures:
    feeds = st.sampled_from(FEEDS)
    earlier = [
        Day(event_date=DAY + timedelta(n), version=draw(st.integers(0, 2)), rows=draw(st.dictionaries(feeds, COUNTS)))
        for n in draw(st.lists(st.integers(-40, 3), unique=True, max_size=12))
    ]
    return DayFigures(
        event_date=DAY,
        profiles=draw(st.dictionaries(feeds, profiles())),
        arrivals=draw(st.dictionaries(feeds, all_arrivals())),
        earlier=earlier,
    )


@given(days())
def test_every_rule_has_one_verdict_on_every_feed(day: DayFigures) -> None:
    found = judge(rules(feeds=FEEDS), FEEDS, day)
    assert [(one.feed, one.rule) for one in found] == [
        (feed, name) for feed in FEEDS for name in sorted(rule.name for rule in shipped())
    ]
    for one in found:
        assert one.detail
        if MEASURES[one.measure].unit == "share" and one.figure is not None:
            assert 0 <= one.figure <= 1
        assert (one.figure is None) <= (one.level == "pass" and one.limit is None)


@given(days(), st.floats(0, 1), st.floats(0, 1))
def test_a_looser_limit_is_never_broken_sooner(day: DayFigures, one: float, other: float) -> None:
    def levels(limit: float) -> list[int]:
        own = a_rule(measure="quarantine_rate", fail={"above": limit})
        return [LEVELS[v.level] for v in judge(rules(own, feeds=FEEDS), FEEDS, day) if v.rule == "own"]

    tight, loose = sorted((one, other))
    assert all(a >= b for a, b in zip(levels(tight), levels(loose), strict=True))


@given(days())
def test_the_order_of_what_came_decides_nothing(day: DayFigures) -> None:
    turned = DayFigures(
        day.event_date,
        {feed: day.profiles[feed] for feed in reversed(list(day.profiles))},
        {feed: day.arrivals[feed] for feed in reversed(list(day.arrivals))},
        list(reversed(day.earlier)),
    )
    assert judge(rules(feeds=FEEDS), FEEDS, day) == judge(rules(feeds=FEEDS), reversed(FEEDS), turned)


_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_FIELDS = ["name", "measure", "feeds", "column", "values", "warn", "fail", "why"]
_LIKELY = st.sampled_from([*MEASURES, "action", "client_asn", "47", "own", ["47"], ["block"], {"above": 0.5}])


@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _LIKELY | _ANYTHING)).map(json.dumps) | st.text())
def test_whatever_is_written_is_a_set_of_rules_or_a_sentence(document: str) -> None:
    try:
        Rules(document, FEEDS)
    except RulesInvalid as refused:
        sentence = str(refused)
    else:
        sentence = "The quality rules are valid."
    assert sentence.startswith("The quality rules are ")
    assert sentence.endswith(".")
