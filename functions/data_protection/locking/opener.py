"""BeginLock's work: whether a bucket may be simulated, or what was simulated may be applied."""

from datetime import datetime
from typing import TYPE_CHECKING

from data_protection.checks.s3_lock import CHECK as LOCK
from data_protection.contracts import PlaceRef
from data_protection.errors import LockNotApproved, LockRefused, LockStale, ResourceUnreadable
from data_protection.inventory import tags_of_answer
from data_protection.locking.contracts import BeginLock, LockBegun, LockJob
from data_protection.locking.facts import Facts, facts_of
from data_protection.locking.hazards import hazards
from data_protection.locking.simulation import APPROVERS, HOLDS, Simulation, require_allowed
from data_protection.profiles import Profile
from data_protection.reads.s3 import BUCKET_TAGS
from data_protection.remediation.approvals import Approval
from data_protection.remediation.evidence import Event
from data_protection.snapshot import NotRead, Snapshot
from data_protection.times import stamp

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

    def simulate(self, asked: BeginLock, place: PlaceRef, profile: Profile) -> LockBegun:
        """Begin a simulation.

        Args:
            asked: What for.
            place: Of the bucket.
            profile: Of its account.

        Raises:
            BucketMissing: There is no such bucket.
            ResourceUnreadable: Its configuration or its tags cannot be read.
            LockRefused: It must not be locked so, or at all.
        """
        job = LockJob(run=asked.run, place=place, terms=asked.terms, requested_by=asked.requested_by)
        facts = self._facts(job, profile, asked.time)
        require_allowed(
            job.terms,
            hazards(facts),
            named=frozenset(asked.named),
            governed_since=self._marks.governed_since(job.bucket.arn),
        )
        self._files.write(facts_key(job), facts.model_dump_json().encode())
        return LockBegun(job=job)

    def apply(
        self,
        asked: BeginLock,
        simulation: Simulation,
        place: PlaceRef,
        *,
        profile: Profile,
        evidence: "EvidenceChain",
        now: datetime,
    ) -> LockBegun:
        """Begin to apply a simulation, or go on with that; outside of the profile's windows nothing is begun.

        Raises:
            BucketMissing: There is no such bucket any more.
            ResourceUnreadable: Its configuration or its tags cannot be read.
            LockNotApproved: Too few people have said yes.
            LockRefused: Somebody answers for the bucket by now, or a tag protects it.
            LockStale: It is not of the bucket as it is, or will not hold any more when a window opens; a lock that has
                begun may go on all the same.
        """
        approval = self._approvals.find(simulation.hash)
        require_approved(simulation, approval, asked.requested_by)
        job = LockJob(
            run=asked.run,
            place=place,
            terms=simulation.terms,
            requested_by=simulation.requested_by,
            simulation=simulation.hash,
            windows=profile.remediation.windows,
        )
        opens, has_begun = job.next_opening(now), self._marks.has_begun(simulation.hash)
        if opens > now:
            if not has_begun and opens > simulation.holds_until:
                raise LockStale(
                    f"Changes may begin at {stamp(opens)}, and the simulation {simulation.hash} is of "
                    f"{stamp(simulation.terms.at)}: over {HOLDS.days} days before. Simulate again nearer to the window."
                )
            return LockBegun(job=job, opens=stamp(opens))
        facts = self._facts(job, profile, now)
        # What was begun has changed the bucket itself.
        if not has_begun:
            simulation.require_fresh(facts, now)
            evidence.append(Event.APPROVED, now, approval.model_dump(mode="json") if approval else None)
            self._marks.begin(simulation.hash, now)
        evidence.append(Event.BEGUN, now, {"run": asked.run, "requested_by": asked.requested_by})
        return LockBegun(job=job)

    def _facts(self, job: LockJob, profile: Profile, now: datetime) -> Facts:
        snapshot = self._reader.look(job.bucket, now)
        facts = facts_of(snapshot, job.bucket)
        require_open(job, snapshot, profile, now)
        return facts


def require_open(job: LockJob, snapshot: Snapshot, profile: Profile, now: datetime) -> None:
    """Refuse a bucket that somebody answers for, or that a tag keeps remediation away from.

    Raises:
        LockRefused: The sentence says who or which.
        ResourceUnreadable: Its tags cannot be read.
    """
    if (exception := profile.exception(LOCK.id, job.bucket, now.date())) is not None:
        raise LockRefused(
            f"{exception.owner} answers until {exception.expires} for {job.bucket.name} being without what {LOCK.id} "
            f"asks: {exception.reason} Take the exception out of the profile {profile.name} first."
        )
    try:
        tags = tags_of_answer(snapshot.get(BUCKET_TAGS, job.bucket).get("TagSet", ()))
    except NotRead as unread:
        raise ResourceUnreadable(f"{job.bucket.name} may be protected by a tag: {unread}. Grant the call.") from None
    if tag := profile.remediation.limits.protect(tags):
        raise LockRefused(f"{job.bucket.name} carries the tag {tag}, which keeps remediation away.")


def require_approved(simulation: Simulation, approval: Approval | None, requested_by: str) -> None:
    """Refuse a simulation that was not approved by enough people, of whom none asked for it, or to apply it.

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
        if decision.approves
        and decision.approver not in {simulation.requested_by, requested_by}
        and decision.at < approval.expires
    }
    if approval.outcome is None or len(approvers) < APPROVERS:
        raise LockNotApproved(
            f"{len(approvers)} of {APPROVERS} people have approved the simulation {simulation.hash} until now; "
            f"{simulation.requested_by}, who asked for it, and {requested_by}, who asks to apply it, are none of them."
        )


def facts_key(job: LockJob) -> str:
    """Return where the facts of a simulation are kept while it is made."""
    return f"{job.folder}facts.json"
