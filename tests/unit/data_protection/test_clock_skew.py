"""Our clock may be behind AWS' or before it: what happened "in the future" is no fault, and no reason to crash."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from data_protection.assessments import assess
from data_protection.readings import Found
from data_protection.reads.backup import PROTECTED
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status
from tests.support import data_protection_buckets as buckets
from tests.support import data_protection_healthy as others
from tests.support.data_protection_account import ACCOUNT, NOW, ORDERS, PLACE, ago, profile

_ASKED: dict[Any, dict[str, Any]] = {buckets.SITE: dict(buckets.ASKED)}
for _check, (_subject, _requirement) in others.SUBJECTS.items():
    _ASKED.setdefault(_subject, {})[_check] = _requirement


def statuses(now: datetime) -> Mapping[tuple[str, str], Status]:
    """Judge accounts in which everything passes at NOW, at another time of ours."""
    readings: dict[Any, Any] = {
        (resource, read.name): Found(answer) if isinstance(answer, Mapping) else answer
        for (resource, read), answer in (*others.healthy().items(), *buckets.healthy().items())
    }
    backed_up = [{"ResourceArn": one.arn, "LastBackupTime": ago(hours=9)} for one in (ORDERS, buckets.SITE)]
    readings[ACCOUNT, PROTECTED.name] = Found({"Results": backed_up})
    found = assess(Snapshot(PLACE, now, readings), profile(_ASKED), now).findings
    return {(one.check.id, one.resource.name): one.status for one in found}


def test_all_that_is_judged_here_passes_by_the_right_clock() -> None:
    assert set(statuses(NOW).values()) == {Status.PASS}


@pytest.mark.parametrize("behind", [timedelta(minutes=4), timedelta(hours=3), timedelta(days=1), timedelta(days=30)])
def test_what_aws_says_of_the_future_is_as_fresh_as_can_be(behind: timedelta) -> None:
    assert statuses(NOW - behind) == statuses(NOW)


def test_clock_of_ours_that_is_before_by_what_aws_tolerates_changes_nothing() -> None:
    # AWS refuses what is signed more than five minutes off:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    assert statuses(NOW + timedelta(minutes=5)) == statuses(NOW)
