from datetime import timedelta

import pytest

from firewall_logs.adapters.ledger import (
    Claim,
    LedgerClaims,
    LedgerCommits,
    LedgerLease,
    LedgerReader,
    LedgerReleases,
)
from firewall_logs.contracts import Account
from firewall_logs.errors import LeaseLost
from kernel import aws
from tests.support.aws import LEDGER, entry
from tests.support.firewall import NOW, OBJECT_ID, a_source

LATER = NOW + timedelta(seconds=61)


def _claim(run_id: str, now: object = NOW) -> Claim:
    claims = LedgerClaims(aws.dynamodb(), LEDGER)
    return claims.claim(OBJECT_ID, a_source(), run_id, now=now, lease_seconds=60)  # type: ignore[arg-type]


def _lease() -> LedgerLease:
    return LedgerLease(aws.dynamodb(), LEDGER)


def _commit(epoch: int, defect: str | None = None) -> None:
    LedgerCommits(aws.dynamodb(), LEDGER).commit(OBJECT_ID, epoch, Account(), defect=defect, now=NOW)


def _release(run_id: str) -> bool:
    return LedgerReleases(aws.dynamodb(), LEDGER).release(OBJECT_ID, run_id, now=NOW)


def test_first_claim_wins_and_others_see_its_holder() -> None:
    assert _claim("one") == Claim(1)
    second = _claim("two")
    assert second.holder is not None
    assert (second.holder.state, second.holder.owner) == ("CLAIMED", "one")


def test_claim_repeated_by_its_run_keeps_the_epoch() -> None:
    assert _claim("one") == _claim("one") == Claim(1)


def test_expired_lease_is_taken_over_under_a_higher_epoch() -> None:
    _claim("one")
    assert _claim("two", LATER) == Claim(2)


def test_former_holder_is_fenced_off() -> None:
    _claim("one")
    _claim("two", LATER)
    with pytest.raises(LeaseLost, match=r"epoch 1, but the ledger says: CLAIMED by run two under epoch 2"):
        _lease().renew(OBJECT_ID, 1, now=LATER, lease_seconds=60)
    with pytest.raises(LeaseLost):
        _lease().mark_written(OBJECT_ID, 1, 0)
    with pytest.raises(LeaseLost):
        _commit(1)
    assert _release("one") is False


def test_renewed_lease_is_not_taken_over() -> None:
    _claim("one")
    _lease().renew(OBJECT_ID, 1, now=LATER, lease_seconds=60)
    assert _claim("two", LATER).holder is not None


def test_commit_is_final_and_harmless_twice() -> None:
    _claim("one")
    _commit(1)
    _commit(1)
    holder = _claim("two", LATER).holder
    assert holder is not None
    assert holder.state == "COMMITTED"
    assert _release("one") is False


def test_object_without_a_readable_byte_ends_quarantined() -> None:
    _claim("one")
    _commit(1, defect="empty")
    assert entry(OBJECT_ID)["state"] == "QUARANTINED"


def test_released_object_may_be_claimed_at_once() -> None:
    _claim("one")
    assert _release("one") is True
    assert _release("one") is True
    assert _release("two") is False
    assert _claim("two") == Claim(2)


def test_unknown_object_cannot_be_committed() -> None:
    with pytest.raises(LeaseLost, match="no such object"):
        _commit(1)


def test_reader_gives_what_was_written_slice_by_slice() -> None:
    _claim("one")
    for index in (0, 2, 2):
        _lease().mark_written(OBJECT_ID, 1, index)
    [found] = LedgerReader(aws.dynamodb(), LEDGER).entries([OBJECT_ID, "f" * 32])
    assert (found.owner, found.epoch, found.written) == ("one", 1, frozenset({0, 2}))


def test_reader_takes_more_objects_than_one_request_holds() -> None:
    claims = LedgerClaims(aws.dynamodb(), LEDGER)
    ids = [f"{number:032x}" for number in range(205)]
    for object_id in ids:
        claims.claim(object_id, a_source(), "one", now=NOW, lease_seconds=60)
    found = LedgerReader(aws.dynamodb(), LEDGER).entries(ids)
    assert sorted(item.object_id for item in found) == ids
