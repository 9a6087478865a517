"""What a remediation waits for, and what it does not."""

import pytest

from local.paths import ROOT
from tests.support.definitions import read

MACHINE = read(ROOT / "statemachines/data_protection/remediate_account.asl.yaml")
GROUP = MACHINE["States"]["RemediateWave"]["ItemProcessor"]["States"]


@pytest.mark.parametrize(("state", "seconds"), [("ApplyStep", 0), ("VerifyStep", 540), ("RollBackStep", 540)])
def test_right_to_read_is_waited_for_once_the_change_is_made(state: str, seconds: int) -> None:
    retrier = next(one for one in GROUP[state]["Retry"] if "ReadDenied" in one["ErrorEquals"])
    delays = [
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt, retrier["MaxDelaySeconds"])
        for attempt in range(retrier["MaxAttempts"])
    ]

    # At most: jitter makes it half of that on average.
    assert sum(delays) == seconds
