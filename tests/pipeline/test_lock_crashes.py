"""A lock may die between any two effects; another run goes on, and comes to the same counts and retentions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from data_protection.handlers import list_versions
from data_protection.locations import lock_prefix
from data_protection.locking import lister, shard_locker
from data_protection.locking.lister import Lister
from kernel import aws
from kernel.objects import Bucket
from tests.support.aws import LAKE, account
from tests.support.locking import (
    BUCKET,
    EVIDENCE,
    REGION,
    REMEDIATIONS,
    Retentions,
    apply,
    approve,
    days_left,
    locking,
    simulate,
    write,
)

_READS = ("Get", "List", "Head", "Query", "Describe")
_KEYS = ("audio/1", "logs/1", "logs/2")


class Killed(BaseException):
    """The function is no more."""


class Mortal:
    """Kills whoever has an effect on AWS, right after the effect of a number; nobody has any after that."""

    def __init__(self) -> None:
        self.at, self.seen, self.dead = 0, 0, False

    def register(self, events: Any) -> None:
        events.register_first("before-call", self._before)
        events.register_last("after-call", self._after)

    def revive(self, at: int) -> None:
        self.at, self.seen, self.dead = at, 0, False

    def _before(self, **_: Any) -> None:
        if self.dead:
            raise Killed

    def _after(self, model: Any, **_: Any) -> None:
        if model.name.startswith(_READS):
            return
        self.seen += 1
        if self.seen == self.at:
            self.dead = True
            raise Killed


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Retentions]:
    monkeypatch.setattr(list_versions, "Lister", partial(Lister, shard_versions=2))
    monkeypatch.setattr(shard_locker, "THREADS", 1)
    # Nothing is written later, and what is there is not looked at twice.
    monkeypatch.setattr(lister, "_SKEW", -timedelta(days=1))
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    with account(), locking() as made:
        yield made


def fill() -> dict[str, str]:
    """Fill the bucket with two shards, a delete marker among them, and return its versions."""
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = write(*_KEYS)
    aws.s3().delete_object(Bucket=BUCKET, Key=_KEYS[-1])
    return versions


def forget(versions: dict[str, str], simulation: str) -> None:
    """Bring everything back to how it was when the simulation had been approved."""
    buckets = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
    bucket = buckets.get_bucket(BUCKET)
    bucket.object_lock_enabled, bucket.default_lock_mode, bucket.default_lock_days = False, "", 0
    for key, version in versions.items():
        kept: Any = buckets.get_object(BUCKET, key, version_id=version)
        kept.lock_mode = kept.lock_until = None
    for where, prefix in ((LAKE, lock_prefix(simulation)), (EVIDENCE, "")):
        found = Bucket(aws.s3(), where)
        found.delete([key for key, _ in found.keys(prefix)])
    for item in aws.dynamodb().scan(TableName=REMEDIATIONS)["Items"]:
        if item["entry"]["S"] != "approval":
            place = {name: item[name] for name in ("plan", "entry")}
            aws.dynamodb().delete_item(TableName=REMEDIATIONS, Key=place)


def test_wherever_a_lock_dies_another_run_comes_to_the_same_counts_and_retentions(s3: Retentions) -> None:
    mortal = Mortal()
    versions = fill()
    simulation = simulate()["simulation"]
    approve(simulation)
    for client in (aws.s3(), aws.client(aws.session(), "s3", REGION), aws.dynamodb()):
        mortal.register(client.meta.events)
    for effect in count(1):
        s3.sets.clear()
        mortal.revive(effect)
        try:
            apply(simulation, run=f"dies-{effect}")
        except Killed:
            pass
        else:
            assert effect > 25
            break
        finally:
            # These clients outlive this test.
            mortal.revive(0)

        reported = apply(simulation, run=f"goes-on-{effect}")

        assert reported["outcomes"] == {"delete_marker": 1, "set": 3}, effect
        assert reported["complete"], effect
        # What had been set was found set.
        assert sorted(s3.sets) == sorted(versions.items()), effect
        for key, version in versions.items():
            mode, until = s3.of(key, version) or ("", datetime.now(UTC))
            assert (mode, days_left(until)) == ("GOVERNANCE", 400)
        forget(versions, simulation)
