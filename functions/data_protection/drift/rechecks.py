"""Rechecks: what a batch of events touched, looked at once a place."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_protection.drift.touches import Touch, Touches
from data_protection.drift.watcher import Look, Looked, Watcher
from data_protection.errors import DataProtectionError
from data_protection.estate import Account, Estate
from kernel.errors import EventRefused

if TYPE_CHECKING:
    from data_protection.resources import Place


@dataclass
class Rechecked:
    """What a batch came to.

    Attributes:
        looked: Of each place that could be looked at.
        failed: Why a message must come again, by its id.
    """

    looked: list[Looked] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)


def recheck(
    touches: Mapping[str, Touch], *, run: str, estate: Estate, partition: str, watcher: Callable[[Account], Watcher]
) -> Rechecked:
    """Look at each place that a batch touched, once, at what its touches concern.

    Args:
        touches: By the id of their message; of accounts that are not in the estate nothing is looked at.
        run: By which findings name the looks.
        estate: All accounts.
        partition: Of AWS.
        watcher: Returns what looks at places of an account.
    """
    accounts = {account.account: account for account in estate.accounts}
    messages: dict[Place, list[str]] = defaultdict(list)
    for message, touch in touches.items():
        if touch.account in accounts:
            for place in touch.places(accounts[touch.account], partition):
                messages[place].append(message)
    rechecked = Rechecked()
    for place, ids in messages.items():
        together = Touches(touches[message] for message in ids)
        try:
            looked = watcher(accounts[place.account]).look(Look(run, place, together, together.cause))
        except (DataProtectionError, EventRefused) as failure:
            # An account that cannot be looked at must not keep the others waiting.
            rechecked.failed |= dict.fromkeys(ids, failure)
        else:
            rechecked.looked.append(looked)
    return rechecked
