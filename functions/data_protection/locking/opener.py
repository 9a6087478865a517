"""BeginLock's work: whether a bucket may be simulated, or what was simulated may be applied."""

from datetime import datetime
from typing import TYPE_CHECKING

from data_protection.contracts import PlaceRef
from data_protection.errors import LockNotApproved
from data_protection.locking.contracts import BeginLock, LockJob
from data_protection.locking.facts import Facts, facts_of
from data_protection.locking.hazards import hazards
from data_protection.locking.simulation import APPROVERS, Simulation, require_allowed
from data_protection.remediation.approvals import Approval
from data_protection.remediation.evidence import Event

if TYPE_CHECKING:
    from data_protection.adapters.bucket_reader import BucketReader
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.lock_ledger import LockApprovals, LockMarks


class Opener:
    """Begins a run.

    Args:
        reader: Reads the bucket.
        files: Keep what is worked on.
        marks: Say what was begun, and since when buckets are governed.
        approvals: Of simulations.
    """

    def __init__(
        self, reader: "BucketReader", files: "LockFiles", marks: "LockMarks", approvals: "LockApprovals"
    ) -> None:
        self._reader, self._files = reader, files
        self._marks, self._approvals = marks, approvals

    def simulate(self, asked: BeginLock, place: PlaceRef) -> LockJob:
        """Begin a simulation.

        Raises:
            BucketMissing: There is no such bucket.
            ResourceUnreadable: Its configuration cannot be read.
            LockRefused: It must not be locked so.
        """
        job = LockJob(run=asked.run, place=place, terms=asked.terms, requested_by=asked.requested_by)
        facts = self._facts(job, asked.time)
        require_allowed(
            job.terms,
            hazards(facts),
            named=frozenset(asked.named),
            governed_since=self._marks.governed_since(job.bucket.arn),
        )
        self._files.write(facts_key(job), facts.model_dump_json().encode())
        return job

    def apply(
        self, asked: BeginLock, simulation: Simulation, place: PlaceRef, evidence: "EvidenceChain", now: datetime
    ) -> LockJob:
        """Begin to apply a simulation, or go on with that.

        Raises:
            LockNotApproved: Too few people have said yes.
            LockStale: It is not of the bucket as it is; a lock that has begun may go on all the same.
        """
        approval = self._approvals.find(simulation.hash)
        require_approved(simulation, approval)
        job = LockJob(
            run=asked.run,
            place=place,
            terms=simulation.terms,
            requested_by=simulation.requested_by,
            simulation=simulation.hash,
        )
        # What was begun has changed the bucket itself.
        if not self._marks.has_begun(simulation.hash):
            simulation.require_fresh(self._facts(job, now), now)
            evidence.append(Event.APPROVED, now, approval.model_dump(mode="json") if approval else None)
            self._marks.begin(simulation.hash, now)
        return job

    def _facts(self, job: LockJob, now: datetime) -> Facts:
        return facts_of(self._reader.look(job.bucket, now), job.bucket)


def require_approved(simulation: Simulation, approval: Approval | None) -> None:
    """Refuse a simulation that was not approved by enough people, of whom none had asked for it.

    Raises:
        LockNotApproved: The sentence says what is missing.
    """
    if approval is None or approval.plan != simulation.hash:
        raise LockNotApproved(f"There is no approval of the simulation {simulation.hash}: simulate again.")
    if approval.outcome is False:
        raise LockNotApproved(f"The simulation {simulation.hash} was rejected. Simulate what people would approve.")
    approvers = {
        decision.approver
        for decision in approval.decisions
        if decision.approves and decision.approver != simulation.requested_by and decision.at < approval.expires
    }
    if approval.outcome is None or len(approvers) < APPROVERS:
        raise LockNotApproved(
            f"{len(approvers)} of {APPROVERS} people have approved the simulation {simulation.hash} until now; "
            f"{simulation.requested_by}, who asked for it, is none of them."
        )


def facts_key(job: LockJob) -> str:
    """Return where the facts of a simulation are kept while it is made."""
    return f"{job.folder}facts.json"
