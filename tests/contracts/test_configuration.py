"""What the template configures is what the code takes: a wrong document would only fail a run at night."""

import pytest

from firewall_logs.days.rules import Rules, shipped
from firewall_logs.feeds import Feeds
from tests.support.templates import Stack, stacks

CONFIGURED = [
    pytest.param(stack, parameters, id=str(stack))
    for stack in stacks()
    if {"Feeds", "QualityRules"} <= (parameters := stack.of_type("AWS::SSM::Parameter")).keys()
]


@pytest.mark.parametrize(("stack", "parameters"), CONFIGURED)
def test_feeds_and_quality_rules_of_the_template_hold(stack: Stack, parameters: dict[str, dict[str, object]]) -> None:
    value = parameters["Feeds"]["Value"]
    assert isinstance(value, dict)
    feeds = Feeds(str(value["Fn::Sub"]).replace("${RawBucketName}", "raw"))
    rules = Rules(str(parameters["QualityRules"]["Value"]), [feed.name for feed in feeds])

    for feed in feeds:
        assert {rule.name for rule in shipped()} <= {rule.name for rule in rules.of(feed.name)}


def test_the_template_configures_feeds_and_rules() -> None:
    assert len(CONFIGURED) == 1
