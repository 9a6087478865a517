"""How handlers put watchers of places together."""

from typing import TYPE_CHECKING

from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.estate import Clients
from data_protection.adapters.findings import FindingStore
from data_protection.adapters.profiles import ProfileStore
from data_protection.adapters.snapshots import Snapshots
from data_protection.drift.watcher import Watcher
from kernel import aws
from kernel.bus import Bus
from kernel.clock import utc_now

if TYPE_CHECKING:
    from data_protection.adapters.fixes import FixQueue
    from data_protection.estate import Account


def watcher(
    account: "Account", *, lake_bucket: str, findings_table: str, event_bus: str, fixes: "FixQueue | None"
) -> Watcher:
    """Return what looks at places of an account.

    Raises:
        AccessRefused: STS refuses the account's role.
        ProfileMissing, ProfileInvalid: Its profile cannot be used.
    """
    return Watcher(
        Snapshots(Clients.reading(account).of),
        FindingStore(aws.s3(), lake_bucket, aws.dynamodb(), findings_table),
        DriftStore(aws.dynamodb(), findings_table),
        Bus(aws.events(), event_bus, "data_protection"),
        fixes,
        profile=ProfileStore(aws.s3(), lake_bucket).load(account.profile),
        profile_name=account.profile,
        now=utc_now,
    )
