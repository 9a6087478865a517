"""A simulation: what a lock would do, as one document with one hash, which is what people approve."""

from datetime import datetime, timedelta
from typing import Final

from data_protection.changes import digest
from data_protection.checks.s3_lock import Mode
from data_protection.errors import LockRefused, LockStale
from data_protection.locking.costs import Costs
from data_protection.locking.facts import Facts
from data_protection.locking.hazards import Gravity, Hazard
from data_protection.locking.tally import Tally
from data_protection.locking.terms import Terms
from data_protection.locking.versions import Listing
from kernel.contracts import Contract

APPROVERS: Final = 2
"""The last phase of the standard needs two people, and none of them is who asked."""
TRIAL: Final = timedelta(days=30)
"""How long a bucket must have been in GOVERNANCE mode before COMPLIANCE, which nobody can take back."""
HOLDS: Final = timedelta(days=7)
"""How long after it was made a simulation may be applied."""
COMPLIANCE: Final = "COMPLIANCE"
# A bucket that is written to grows; more than this is not what was approved.
_GROWTH: Final = 0.1
_ANYWAY: Final = 1_000


class Simulation(Contract):
    """What a lock would do.

    Attributes:
        account, region: Whose bucket it is.
        terms: That were asked for.
        requested_by: Who asked.
        facts: Of the bucket.
        listing: What was counted.
        tally: The figures.
        hazards: What would go wrong beside.
        costs: In USD.
    """

    account: str
    region: str
    terms: Terms
    requested_by: str
    facts: Facts
    listing: Listing
    tally: Tally
    hazards: tuple[Hazard, ...]
    costs: Costs

    @property
    def hash(self) -> str:
        """The SHA-256 of the document, which an approval is bound to."""
        return digest(self.model_dump(mode="json"))

    @property
    def holds_until(self) -> datetime:
        """Until when it may be applied."""
        return self.terms.at + HOLDS

    def require_fresh(self, facts: Facts, now: datetime) -> None:
        """Refuse to apply a simulation that is no longer of the bucket as it is.

        Raises:
            LockStale: It is too old, or the bucket was configured otherwise since.
        """
        if now > self.holds_until:
            raise LockStale(
                f"The simulation {self.hash} is of {self.terms.at}, over {HOLDS.days} days ago: simulate again."
            )
        if facts.hash != self.facts.hash:
            raise LockStale(
                f"{self.terms.bucket} is configured otherwise than when {self.hash} was simulated: simulate again, and "
                "have that approved."
            )

    def require_grown_little(self, listing: Listing) -> None:
        """Refuse to lock much more than was approved.

        Raises:
            LockStale: The bucket has grown too much since.
        """
        for what, was, is_now in (
            ("versions", self.listing.versions, listing.versions),
            ("bytes", self.listing.size, listing.size),
        ):
            anyway = _ANYWAY if what == "versions" else _ANYWAY << 20
            if is_now > was * (1 + _GROWTH) + anyway:
                raise LockStale(
                    f"{self.terms.bucket} had {was:,} {what} when {self.hash} was simulated, and has {is_now:,} now: "
                    "simulate again. New objects have the default retention already."
                )


def require_allowed(
    terms: Terms, hazards: list[Hazard], *, named: frozenset[str], governed_since: datetime | None
) -> None:
    """Refuse terms that must not be applied to a bucket, or not yet.

    Args:
        terms: That are asked for.
        hazards: In the bucket.
        named: What cannot be taken back and is asked for by name.
        governed_since: Since when its objects are in GOVERNANCE mode; None for not at all.

    Raises:
        LockRefused: The sentence says why, and what to do instead.
    """
    for hazard in hazards:
        if hazard.gravity is Gravity.FORBIDS:
            raise LockRefused(f"{terms.bucket} must not be locked. {hazard.sentence}")
    if terms.mode is not Mode.COMPLIANCE or COMPLIANCE in named:
        return
    if governed_since is None or terms.at - governed_since < TRIAL:
        since = "never" if governed_since is None else f"only since {governed_since:%Y-%m-%d}"
        raise LockRefused(
            f"Nobody can take COMPLIANCE mode back, and the objects of {terms.bucket} were {since} in GOVERNANCE mode. "
            f"Lock them in GOVERNANCE mode for {TRIAL.days} days and see that everything works; or name {COMPLIANCE}."
        )
