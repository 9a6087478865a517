"""Every reason for which a plan leaves something out has words."""

import pytest

from cli.left_out import left_out
from data_protection.remediation.plans import LeftOut


@pytest.mark.parametrize("why", LeftOut)
def test_every_reason_is_told_in_words(why: LeftOut) -> None:
    assert left_out({why: 1}, "step").startswith(f"Left out: 1 step: 1 {why} (")
