"""Parameters as `gatehouse up` takes them."""

import pytest

from local.build import TEMPLATE
from local.errors import ParameterInvalid
from local.parameters import parsed
from local.template import load

DECLARED = load(TEMPLATE)["Parameters"]


def test_parameters_are_pairs_of_which_the_last_counts() -> None:
    pairs = ["DataProtection=disabled", "RawWriterArn=", "DataProtection=enabled", "CostCentre=a b"]

    assert parsed(pairs, DECLARED) == {"DataProtection": "enabled", "RawWriterArn": "", "CostCentre": "a b"}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("DataProtection", r"'DataProtection' is no parameter: write Key=Value"),
        ("DataProtecton=enabled", r"no parameter 'DataProtecton'\. Did you mean DataProtection\?"),
        ("dataprotection=enabled", r"Did you mean DataProtection\?"),
        ("Moon=full", r"no parameter 'Moon'\. It has: AlertEmail, Architecture, "),
        ("DataProtection=on", r"DataProtection cannot be 'on': it is one of enabled, disabled\."),
        ("RetentionDays=2", r"RetentionDays cannot be '2': it is one of 1, 3, 7"),
        ("AlertEmail=me", r"AlertEmail cannot be 'me': it is an e-mail address, or empty\."),
    ],
)
def test_what_the_template_does_not_take_is_told_with_what_it_does(pair: str, told: str) -> None:
    with pytest.raises(ParameterInvalid, match=told):
        parsed([pair], DECLARED)
