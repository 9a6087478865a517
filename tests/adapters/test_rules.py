import json

import pytest

from firewall_logs.adapters.rules import RulesParameter
from firewall_logs.errors import RulesInvalid
from kernel import aws
from tests.support.quality import FEED, a_rule


def _load(document: str) -> list[str]:
    aws.ssm().put_parameter(Name="/rules", Value=document, Type="String", Overwrite=True)
    return [rule.name for rule in RulesParameter(aws.ssm(), "/rules").load([FEED]).of(FEED)]


def test_rules_of_the_parameter_come_beside_the_shipped_ones() -> None:
    found = _load(json.dumps([a_rule()]))
    assert {"own", "quarantine-rate"} <= set(found)


def test_wrong_rules_are_refused_with_a_sentence() -> None:
    with pytest.raises(RulesInvalid, match="field 'measure' of quality rule 'own'"):
        _load(json.dumps([a_rule(measure="x")]))
