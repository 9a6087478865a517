"""ReconcileLock's work: every version that was listed is accounted for, or the lock is not complete."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from data_protection.checks.s3_lock import Mode
from data_protection.locking.configurer import CONFIGURED
from data_protection.locking.contracts import LockJob, LockReported, Part, ShardDone
from data_protection.locking.lister import listing_of
from data_protection.locking.pages import lock_page
from data_protection.locking.report import LockReport, PartReport
from data_protection.locking.retention import Outcome
from data_protection.locking.tally import Amount
from data_protection.locking.versions import Listing
from data_protection.remediation.evidence import Event, verify_chain

if TYPE_CHECKING:
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.lock_ledger import LockMarks, ShardCounts


class Reconciler:
    """Ends locks.

    Args:
        files: Keep listings and reports.
        counts: Say what became of shards.
        marks: Keep since when the bucket is governed.
        chain: Returns the chain of evidence of a change of the bucket, by its check; without one, that of the lock as
            a whole.
    """

    def __init__(
        self, files: "LockFiles", counts: "ShardCounts", marks: "LockMarks", chain: "Callable[[str], EvidenceChain]"
    ) -> None:
        self._files, self._counts = files, counts
        self._marks, self._chain = marks, chain

    def reconcile(self, job: LockJob, now: datetime) -> LockReported:
        """Compare listings and counts, and report the lock, complete or not.

        The record that closes it names the heads of the other chains: without it, whoever deletes the last record of
        one would go unseen.

        Raises:
            EvidenceBroken: A chain is not as it was written.
        """
        report = LockReport(
            simulation=job.simulation,
            account=job.place.account,
            region=job.place.region,
            terms=job.terms,
            run=job.run,
            at=now,
            present=self._part(job, "present"),
            later=self._part(job, "later"),
        )
        prefix = f"{job.folder}reports/{job.run}/"
        self._files.write(f"{prefix}report.json", report.model_dump_json(indent=1).encode())
        self._files.write(f"{prefix}index.html", lock_page(report), "text/html")
        problems = report.problems
        if not problems and job.terms.mode is Mode.GOVERNANCE and not job.terms.prefix:
            self._marks.govern(job.bucket.arn, now)
        chains = {check.id: self._chain(check.id).records() for check in CONFIGURED}
        heads = {check: verify_chain(records) for check, records in chains.items() if records}
        told = {"run": job.run, "present": _counts(report.present), "later": _counts(report.later), "heads": heads}
        whole = self._chain("")
        verify_chain(whole.records())
        ended = Event.NOT_VERIFIED if problems else Event.FINISHED
        head = whole.append(ended, now, {**told, "problems": problems})
        return LockReported(
            simulation=job.simulation,
            outcomes=_counts(report.present),
            later=_counts(report.later),
            complete=not problems,
            reason="; ".join(problems),
            prefix=prefix,
            head=head,
        )

    def _part(self, job: LockJob, part: Part) -> PartReport:
        listing, done = listing_of(self._files, job, part), self._counts.all(job.simulation, part)
        outcomes: dict[Outcome, Amount] = {}
        for shard in done:
            for outcome, amount in shard.outcomes.items():
                outcomes.setdefault(outcome, Amount()).add(amount)
        return PartReport(
            listing=listing,
            outcomes=outcomes,
            refused=tuple(shard.refused for shard in done if shard.refused),
            problems=tuple(_problems(listing, done)),
        )


def _problems(listing: Listing, done: Sequence[ShardDone]) -> list[str]:
    found = []
    if missing := len(listing.shards) - len(done):
        found.append(f"{missing} of {len(listing.shards)} shards are not done")
    counted = sum(shard.entries for shard in done)
    if counted != listing.entries:
        found.append(f"{listing.entries:,} versions and delete markers were listed, {counted:,} are accounted for")
    size = sum(amount.size for shard in done for amount in shard.outcomes.values())
    if size != listing.size:
        found.append(f"{listing.size:,} bytes were listed, {size:,} are accounted for")
    return found


def _counts(part: PartReport) -> dict[Outcome, int]:
    return {outcome: amount.versions for outcome, amount in sorted(part.outcomes.items())}
