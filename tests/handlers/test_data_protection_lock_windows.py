"""A lock begins in a change window of the account's profile."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from data_protection.errors import LockStale
from data_protection.handlers import list_versions
from data_protection.times import stamp
from kernel import aws
from tests.support.aws import LAKE
from tests.support.locking import BUCKET, Retentions, apply, approve, begin, begun_at, call, locking, simulate, write

DAY = timedelta(days=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(autouse=True)
def s3(aws_account: None) -> Iterator[Retentions]:
    with locking() as made:
        yield made


@pytest.fixture
def simulation() -> str:
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])
    return str(simulated["simulation"])


def window(*, days_ahead: int) -> datetime:
    """Let changes begin from the beginning of a day on, for a day; return that moment."""
    opens = datetime.combine(datetime.now(UTC).date() + days_ahead * DAY, time(), UTC)
    rule = {"kind": "s3-bucket", "select": [{"name": BUCKET}], "requires": {"S3-TLS": {}}}
    asked = {"days": [DAYS[opens.weekday()]], "opens": "00:00", "hours": 24}
    profile = {"name": "rfc-008", "rules": [rule], "remediation": {"windows": [asked]}}
    body = json.dumps(profile).encode()
    aws.s3().put_object(Bucket=LAKE, Key="data_protection/profiles/rfc-008.yaml", Body=body)
    return opens


def listing(job: Any) -> Any:
    return call(list_versions.handler, {"job": job, "part": "present"})


def test_lock_waits_for_the_window_and_changes_nothing_before(simulation: str) -> None:
    opens = window(days_ahead=2)

    assert begun_at(apply=simulation)["opens"] == stamp(opens)
    assert "Status" not in aws.s3().get_bucket_versioning(Bucket=BUCKET)
    # It has not begun: what becomes of the bucket until then counts.
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    window(days_ahead=0)
    with pytest.raises(LockStale, match="configured otherwise"):
        begin(apply=simulation)


def test_lock_begins_in_the_window(simulation: str) -> None:
    window(days_ahead=0)

    assert apply(simulation)["outcomes"] == {"set": 1}


def test_simulation_that_will_not_hold_when_the_window_opens_is_refused_at_once() -> None:
    simulated = simulate(time=(datetime.now(UTC) - 6 * DAY).isoformat())
    approve(simulated["simulation"])
    window(days_ahead=3)

    with pytest.raises(LockStale, match=r"over 7 days before\. Simulate again nearer to the window"):
        begin(apply=simulated["simulation"])


def test_lock_that_has_begun_goes_on_in_a_later_window(simulation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    window(days_ahead=0)
    begin(apply=simulation)
    opens = window(days_ahead=4)
    now = datetime.now(UTC) + 8 * DAY
    monkeypatch.setattr("data_protection.handlers.begin_lock.utc_now", lambda: now)

    assert begun_at(apply=simulation)["opens"] == stamp(opens + 7 * DAY)


def test_what_is_listed_after_the_window_has_closed_waits_for_the_next_one(
    simulation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = window(days_ahead=0)
    job = begin(apply=simulation)
    assert listing(job)["opens"] <= stamp(datetime.now(UTC))

    monkeypatch.setattr(list_versions, "utc_now", lambda: datetime.now(UTC) + 2 * DAY)

    assert listing(job)["opens"] == stamp(opens + 7 * DAY)


def test_simulation_needs_no_window() -> None:
    window(days_ahead=2)

    assert listing(begin())["opens"] <= stamp(datetime.now(UTC))
