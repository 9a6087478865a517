"""The report of a lock: what became of every version that was listed."""

from datetime import datetime

from data_protection.locking.retention import Outcome
from data_protection.locking.tally import Amount
from data_protection.locking.terms import Terms
from data_protection.locking.versions import Listing
from kernel.contracts import Contract


class PartReport(Contract):
    """What became of one listing.

    Attributes:
        listing: What was listed.
        outcomes: Versions and bytes by what became of them.
        refused: Objects of the lake that say of each refused version why.
        problems: Why the counts do not add up; none where they do.
    """

    listing: Listing
    outcomes: dict[Outcome, Amount]
    refused: tuple[str, ...]
    problems: tuple[str, ...]

    def versions(self, outcome: Outcome) -> int:
        """Return how many versions came to an end."""
        return self.outcomes.get(outcome, Amount()).versions


class LockReport(Contract):
    """What became of a lock.

    Attributes:
        simulation: Hash of what was approved.
        account, region: Of the bucket.
        terms: Of the lock.
        run: Which finished it.
        at: When.
        present: What was there when the bucket was listed.
        later: What was written since; new objects have the default retention.
    """

    simulation: str
    account: str
    region: str
    terms: Terms
    run: str
    at: datetime
    present: PartReport
    later: PartReport

    @property
    def problems(self) -> list[str]:
        """Why the lock is not complete; none where it is."""
        refused = self.present.versions(Outcome.REFUSED) + self.later.versions(Outcome.REFUSED)
        files = [*self.present.refused, *self.later.refused]
        return [
            *self.present.problems,
            *self.later.problems,
            *([f"{refused:,} versions were refused: {files[0]} says why"] if refused else []),
        ]
