"""A batch of events, looked at once a place."""

from typing import TYPE_CHECKING, Any

import pytest

from data_protection.drift.cloudtrail_events import CloudTrailEvent
from data_protection.drift.rechecks import recheck
from data_protection.errors import EstateInvalid
from data_protection.estate import Account, Estate
from kernel.errors import EventRefused
from tests.support.data_protection_account import PLACE
from tests.support.data_protection_drift import event

if TYPE_CHECKING:
    from data_protection.drift.touches import Touch

ESTATE = Estate(accounts=(Account(account=PLACE.account, regions=(PLACE.region,)),))


def touch() -> "Touch":
    found = CloudTrailEvent.model_validate(event("dynamodb", "UpdateTable", {"tableName": "orders"})).touch
    assert found is not None
    return found


@pytest.mark.parametrize("failure", [EventRefused("the bus is full"), EstateInvalid("no such role")])
def test_what_keeps_a_look_from_its_end_lets_its_messages_come_again(failure: Exception) -> None:
    class Failing:
        def look(self, _: Any) -> None:
            raise failure

    found = recheck(
        {"one": touch(), "two": touch()},
        run="run",
        estate=ESTATE,
        partition="aws",
        watcher=lambda _: Failing(),  # type: ignore[arg-type,return-value]
    )

    assert found.failed == {"one": failure, "two": failure}
    assert found.looked == []
