"""ConfigureBucket's work: versioning and Object Lock, one change at a time, as the checks propose them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from data_protection.changes import Change
from data_protection.checks.check import Case, Check, Requirement, Scope
from data_protection.checks.s3_lock import CHECK as LOCK
from data_protection.checks.s3_lock import Mode, ObjectLock, retain
from data_protection.checks.s3_version import CHECK as VERSION
from data_protection.checks.s3_version import Versioning
from data_protection.errors import LockRefused, StepRefused
from data_protection.locking.contracts import BucketConfigured, LockJob
from data_protection.locking.facts import Facts, facts_of
from data_protection.remediation.evidence import Event
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status, Verdict

if TYPE_CHECKING:
    from data_protection.adapters.bucket_reader import BucketReader
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.lock_configuration import LockConfiguration
    from data_protection.adapters.steps import ResourceLocks

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html: wait before writing
_VERSIONING_SETTLES: Final = 15 * 60
_LOCK_SETTLES: Final = 5
_PATIENCE: Final = timedelta(minutes=10)
_HELD: Final = timedelta(hours=1)


# What a lock changes of a bucket, in order; each has a chain of evidence.
CONFIGURED: Final = (VERSION, LOCK)


class Configurer:
    """Configures one bucket.

    Args:
        reader: Reads it.
        configuration: Changes it.
        locks: Keep other remediations away meanwhile.
        chain: Returns the chain of evidence of a change, by its check.
        now: The time.
    """

    def __init__(
        self,
        reader: "BucketReader",
        configuration: "LockConfiguration",
        locks: "ResourceLocks",
        chain: "Callable[[str], EvidenceChain]",
        now: Callable[[], datetime],
    ) -> None:
        self._reader, self._configuration = reader, configuration
        self._locks, self._chain, self._now = locks, chain, now

    def go_on(self, job: LockJob) -> BucketConfigured:
        """Make the next change that is needed, or find that none is.

        Raises:
            ResourceLocked: Another remediation works on the bucket.
            ResourceUnreadable: The bucket cannot be read now.
            LockRefused: The bucket receives access logs by now, or AWS refuses the change for good.
        """
        self._locks.take(job.bucket.arn, job.simulation, self._now(), _HELD)
        snapshot = self._reader.look(job.bucket, self._now())
        facts = facts_of(snapshot, job.bucket)
        if facts.logged_from:
            raise LockRefused(f"{job.bucket.name} receives the access logs of {facts.logged_from[0]} by now.")
        for check, asked, seconds in self._asked(job, facts):
            if not self._holds(job, check, asked, snapshot):
                return BucketConfigured(done=False, wait_seconds=seconds)
        self._locks.release(job.bucket.arn, job.simulation)
        return BucketConfigured(done=True)

    def _asked(self, job: LockJob, facts: Facts) -> list[tuple[Check[Any], Requirement, int]]:
        terms = job.terms
        # GOVERNANCE comes before COMPLIANCE, for a moment at least.
        mode = Mode.GOVERNANCE if facts.default is None else terms.mode
        return [
            # When noncurrent versions are deleted is another matter: a rule for them is nothing that was approved.
            (VERSION, Versioning(noncurrent_days=None), _VERSIONING_SETTLES),
            (LOCK, ObjectLock(mode=mode, days=terms.days), _LOCK_SETTLES),
        ]

    def _holds(self, job: LockJob, check: Check[Any], asked: Requirement, snapshot: Snapshot) -> bool:
        """Return whether a check is satisfied; if not, make its next change."""
        case: Case[Any] = Case(job.bucket, asked, snapshot, self._now(), Scope((job.bucket,), {}))
        verdict, evidence = check.validate(case), self._chain(check.id)
        if verdict.status is Status.PASS:
            self._tell_of_end(evidence, verdict)
            return True
        assert check.mutator is not None  # noqa: S101 - both have one
        # The mutator never begins COMPLIANCE mode; here the trial is over, or it was asked for by name.
        propose = retain if check is LOCK else check.mutator.propose
        for change in propose(case)[:1]:
            self._make(job, change, verdict, evidence)
        return False

    def _make(self, job: LockJob, change: Change, verdict: Verdict, evidence: "EvidenceChain") -> None:
        now, records = self._now(), evidence.records()
        if records and records[-1].event is Event.APPLIED and records[-1].content.get("call") == str(change.call):
            if now - records[-1].at > _PATIENCE:
                raise LockRefused(
                    f"{change.title}: S3 took it at {records[-1].at}, and does not show it. Look at the bucket, and at "
                    "who else configures it."
                )
            return
        evidence.append(Event.SEEN, now, {"before": change.before, "call": str(change.call), **_seen(verdict)})
        try:
            request = self._configuration.make(change, job.place.region)
        except StepRefused as refusal:
            evidence.append(Event.REFUSED, now, {"why": str(refusal)})
            raise LockRefused(str(refusal)) from refusal
        evidence.append(Event.APPLIED, now, {"call": str(change.call), "request_id": request})

    def _tell_of_end(self, evidence: "EvidenceChain", verdict: Verdict) -> None:
        """Tell of a change that was made as verified, also by who finds it made after another one died."""
        records = evidence.records()
        if records and records[-1].event is Event.SEEN:
            note = "It was found applied after an interruption."
            evidence.append(Event.APPLIED, self._now(), {"note": note})
        if records:
            evidence.append(Event.VERIFIED, self._now(), _seen(verdict))


def _seen(verdict: Verdict) -> dict[str, Any]:
    return {"status": verdict.status.value, "reason": verdict.reason, "observed": verdict.observed}
