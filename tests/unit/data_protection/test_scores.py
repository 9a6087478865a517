"""A score never says more than what was found: a whole is one in which nothing is left."""

from collections import Counter

import pytest

from data_protection.assessments import score
from data_protection.verdicts import Status

PASS, FAIL, WARN, UNKNOWN = Status.PASS, Status.FAIL, Status.WARN, Status.UNKNOWN


@pytest.mark.parametrize(
    ("odd", "percent", "coverage"),
    [(FAIL, 99.9, 100.0), (WARN, 99.9, 100.0), (UNKNOWN, 100.0, 99.9)],
)
@pytest.mark.parametrize("passed", [1_999, 2_999, 20_000])
def test_one_of_many_is_not_rounded_away(passed: int, odd: Status, percent: float, coverage: float) -> None:
    found = score(Counter({PASS: passed, odd: 1}).elements())

    assert (found.percent, found.coverage, found.compliant) == (percent, coverage, False)


@pytest.mark.parametrize(
    ("statuses", "percent", "compliant"),
    [
        ([PASS], 100.0, True),
        ([PASS, Status.EXCEPTED, Status.NOT_APPLICABLE], 100.0, True),
        ([Status.EXCEPTED, Status.NOT_APPLICABLE], None, False),
        ([], None, False),
        ([PASS, PASS, FAIL], 66.6, False),
        ([PASS] * 3 + [FAIL] * 33, 8.3, False),
    ],
)
def test_what_is_excepted_or_cannot_apply_counts_for_nothing(
    statuses: list[Status], percent: float | None, *, compliant: bool
) -> None:
    found = score(statuses)

    assert (found.percent, found.coverage, found.compliant) == (percent, 100.0, compliant)
