import json
from typing import Any

import pytest

from firewall_logs.days.measures import KNOWN_VALUES, MEASURES
from firewall_logs.days.rules import Rules, shipped
from firewall_logs.errors import RulesInvalid
from local.paths import ROOT
from tests.support.quality import FEED, a_rule, measure_table, rule_table, rules


def names(found: Rules, feed: str) -> list[str]:
    return [rule.name for rule in found.of(feed)]


def test_every_feed_has_the_shipped_rules() -> None:
    assert names(rules(), FEED) == sorted(rule.name for rule in shipped())
    assert all(rule.feeds is None for rule in shipped())


def test_a_rule_of_the_document_is_added() -> None:
    assert "own" in names(rules(a_rule()), FEED)


def test_a_rule_of_a_shipped_name_replaces_it_for_its_feeds_alone() -> None:
    found = rules(
        a_rule(name="quarantine-rate", measure="quarantine_rate", feeds=["3"], fail={"above": 0.5}), feeds=(FEED, "3")
    )
    limits = {
        feed: [rule.fail.above for rule in found.of(feed) if rule.name == "quarantine-rate" and rule.fail]
        for feed in (FEED, "3")
    }
    assert limits == {FEED: [0.05], "3": [0.5]}


def test_the_rule_that_names_the_feed_counts() -> None:
    found = rules(a_rule(feeds=["3"], fail={"below": 1}), a_rule(fail={"below": 2}), feeds=(FEED, "3"))
    limits = {f: [rule.fail.below for rule in found.of(f) if rule.name == "own" and rule.fail] for f in (FEED, "3")}
    assert limits == {FEED: [2], "3": [1]}


@pytest.mark.parametrize(
    ("change", "field", "complaint"),
    [
        ({"measure": "entropy"}, "measure", "there is no measure 'entropy'. The measures are: cross_object"),
        ({"measure": "presence"}, "column", "'presence' needs a column"),
        ({"column": "action"}, "column", "'rows' is about no column"),
        ({"measure": "presence", "column": "colour", "fail": None}, "column", "no column 'colour'"),
        ({"measure": "high", "column": "action"}, "column", "no int64 column 'action'"),
        ({"measure": "membership", "column": "ray_id", "fail": None}, "column", "no enumerated column 'ray_id'"),
        ({"values": ["x"]}, "values", "'rows' is about no values"),
        ({"measure": "value_share", "column": "action", "fail": None}, "values", "'value_share' needs values"),
        ({"measure": "quarantine_rate", "fail": {"above": 5}}, "fail", "a share, from 0 to 1, which is never beyond 5"),
        ({"warn": {"below": 5}}, "fail", "below 10 fails before below 5 can warn"),
        ({"fail": {}}, "fail", "give 'above', 'below' or both"),
        ({"fail": {"above": 1, "below": 2}}, "fail", "no figure is good"),
        ({"fail": {"over": 1}}, "fail.over", "Extra inputs"),
        ({"fail": {"above": "NaN"}}, "fail.above", "finite number"),
        ({"feeds": []}, "feeds", "at least 1 item"),
        ({"feeds": ["48"]}, "feeds", "there is no feed '48'. The feeds are: 47."),
        ({"name": "No/Slash"}, "name", "pattern"),
        ({"why": ""}, "why", "at least 1 character"),
        ({"severity": "high"}, "severity", "Extra inputs"),
    ],
)
def test_a_wrong_rule_is_refused_by_name_and_field(change: dict[str, Any], field: str, complaint: str) -> None:
    rule = a_rule(**change)
    with pytest.raises(RulesInvalid) as refused:
        rules(rule)
    assert str(refused.value).startswith(
        f"The quality rules are not valid: field '{field}' of quality rule '{rule['name']}': "
    )
    assert complaint in str(refused.value)


@pytest.mark.parametrize("feeds", [None, ["47", "3"]])
def test_two_rules_of_one_name_are_about_different_feeds(feeds: list[str] | None) -> None:
    other = {} if feeds is None else {"feeds": ["3"]}
    first = {} if feeds is None else {"feeds": feeds}
    about = "all feeds" if feeds is None else "feed '3'"
    with pytest.raises(RulesInvalid, match=f"'name' of quality rule 'own'.*two rules .* are about {about}"):
        rules(a_rule(**first), a_rule(**other), feeds=("47", "3"))


@pytest.mark.parametrize("document", ["{", "{}", "7", '["text"]'])
def test_a_document_of_the_wrong_shape_is_refused(document: str) -> None:
    with pytest.raises(RulesInvalid, match="The quality rules are"):
        Rules(document, [FEED])


def test_every_measure_can_be_asked_for() -> None:
    columns = {None: None, "any": "ray_id", "int64": "client_asn", "enumerated": "action"}
    asked = [
        a_rule(
            name=name.replace("_", "-"),
            measure=name,
            column=columns[measure.column],
            values=["block"] if measure.values == "required" else None,
            fail={"above": 1},
        )
        for name, measure in MEASURES.items()
    ]
    assert {rule.measure for rule in rules(*asked).of(FEED)} == MEASURES.keys()


def test_default_values_are_those_that_the_documentation_knows() -> None:
    asked = json.dumps([a_rule(measure="membership", column="action", fail=None)])
    rule = next(rule for rule in Rules(asked, [FEED]).of(FEED) if rule.name == "own")
    assert rule.known_values == KNOWN_VALUES["action"]
    assert "managedchallenge" in rule.known_values


@pytest.mark.parametrize("table", [measure_table(), rule_table()], ids=["measures", "rules"])
def test_the_documentation_has_every_measure_and_rule(table: str) -> None:
    assert table in (ROOT / "docs/firewall_logs.md").read_text(), f"docs/firewall_logs.md must have:\n{table}"
