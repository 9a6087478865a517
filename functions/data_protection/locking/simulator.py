"""SimulateLock's work: the figures of all shards as one document, for people to approve."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from data_protection.errors import LockIncomplete
from data_protection.locations import simulation_key
from data_protection.locking.contracts import LockJob, LockSimulated
from data_protection.locking.costs import costs
from data_protection.locking.facts import Facts
from data_protection.locking.hazards import hazards
from data_protection.locking.lister import listing_of
from data_protection.locking.opener import facts_key
from data_protection.locking.pages import simulation_page
from data_protection.locking.retention import Outcome
from data_protection.locking.simulation import APPROVERS, Simulation
from data_protection.locking.surveyor import survey_key
from data_protection.locking.tally import LISTED, Amount, Tally
from data_protection.remediation.approvals import Approval
from data_protection.remediation.evidence import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.lock_ledger import LockApprovals

_OPEN: Final = timedelta(hours=72)
"""How long an approval is waited for, as for plans."""


class Simulator:
    """Makes simulations.

    Args:
        files: Keep them.
        approvals: Asks for them.
        chain: Returns the chain of evidence of a simulation, by its hash.
    """

    def __init__(self, files: "LockFiles", approvals: "LockApprovals", chain: "Callable[[str], EvidenceChain]") -> None:
        self._files, self._approvals, self._chain = files, approvals, chain

    def simulate(self, job: LockJob, now: datetime) -> LockSimulated:
        """Make the simulation of a listing whose shards are surveyed, and open its approval.

        Raises:
            PlanMissing: A shard was not surveyed.
            LockIncomplete: The surveys do not add up to the listing.
        """
        listing, facts = listing_of(self._files, job, "present"), self._files.get(facts_key(job), Facts)
        tally = Tally()
        for number in range(len(listing.shards)):
            tally.merge(self._files.get(survey_key(job, number), Tally))
        counted = sum(amount.versions for amount in tally.outcomes.values())
        if counted != listing.entries:
            raise LockIncomplete(f"{listing.entries} versions and delete markers were listed, {counted} surveyed.")
        tally.fold(LISTED, "")
        simulation = Simulation(
            account=job.place.account,
            region=job.place.region,
            terms=job.terms,
            requested_by=job.requested_by,
            facts=facts,
            listing=listing,
            tally=tally,
            hazards=tuple(hazards(facts)),
            costs=costs(tally, listing.entries),
        )
        self._files.keep_simulation(simulation)
        prefix = simulation_key(simulation.hash).removesuffix("simulation.json")
        self._files.write(f"{prefix}index.html", simulation_page(simulation), "text/html")
        summary = {"simulation": simulation.hash, "terms": job.terms.model_dump(mode="json")}
        self._chain(simulation.hash).append(Event.PLANNED, now, summary)
        self._approvals.open(
            Approval(plan=simulation.hash, requested_by=simulation.requested_by, needed=APPROVERS, expires=now + _OPEN)
        )
        return LockSimulated(
            simulation=simulation.hash,
            locked=tally.locked.versions,
            size=tally.locked.size,
            until=tally.last,
            refused=tally.outcomes.get(Outcome.REFUSED, Amount()).versions,
            approvers=APPROVERS,
            prefix=prefix,
        )
