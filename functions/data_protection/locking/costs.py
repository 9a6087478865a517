"""What a lock costs: keeping what would be deleted, and the job itself."""

from typing import Final

from data_protection.locking.tally import Tally
from kernel.contracts import Contract
from kernel.prices import AS_OF, PRICES

_GB: Final = 1 << 30
_MONTH: Final = 30.4375  # days
_PAGE: Final = 1_000  # versions that ListObjectVersions returns


class Costs(Contract):
    """In USD, at the prices of us-east-1.

    Attributes:
        keep: Storage of all that would be retained, until its retention ends.
        keep_longer: Of that, what a lifecycle rule would have saved.
        job: The requests of simulation and job.
        prices_of: Date of the prices.
    """

    keep: float
    keep_longer: float
    job: float
    prices_of: str


def costs(tally: Tally, entries: int) -> Costs:
    """Return what the lock costs. Storage counts as STANDARD, the dearest class: what is colder costs less.

    Args:
        tally: Of the listing.
        entries: Versions and delete markers that are listed.
    """
    storage = PRICES["s3_storage"].each / _GB / _MONTH
    longer = sum(kept.byte_days for kept in tally.held_up.values())
    # Each listing is made twice, each version looked at three times at most.
    requests = (
        2 * (entries / _PAGE) * PRICES["s3_lists"].each
        + 3 * entries * PRICES["s3_gets"].each
        + tally.locked.versions * PRICES["s3_puts"].each
    )
    return Costs(
        keep=round(tally.locked.byte_days * storage, 4),
        keep_longer=round(longer * storage, 4),
        job=round(requests, 4),
        prices_of=AS_OF.isoformat(),
    )
