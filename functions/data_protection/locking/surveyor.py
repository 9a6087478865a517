"""SurveyShard's work: what a lock would do to the versions of a shard. Changes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from data_protection.errors import VersionGone, VersionRefused
from data_protection.locking.contracts import LockJob, ShardItem
from data_protection.locking.facts import Facts
from data_protection.locking.lister import part_prefix
from data_protection.locking.opener import facts_key
from data_protection.locking.retention import Decision, Outcome, Present, decide
from data_protection.locking.tally import Tally
from data_protection.locking.versions import Version

if TYPE_CHECKING:
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.retentions import LegalHoldReader, RetentionReader

THREADS: Final = 16


class Surveyor:
    """Surveys shards.

    Args:
        files: Keep listing and surveys.
        retentions: Reads how versions are locked.
        holds: Reads their legal holds.
    """

    def __init__(self, files: "LockFiles", retentions: "RetentionReader", holds: "LegalHoldReader") -> None:
        self._files, self._retentions, self._holds = files, retentions, holds

    def survey(self, job: LockJob, shard: ShardItem) -> Tally:
        """Survey a shard and keep its tally; surveyed again, it is what is there now."""
        facts = self._files.get(facts_key(job), Facts)
        versions = self._files.versions(shard.key)
        # Where Object Lock is not enabled, nothing can have a retention.
        look: Callable[[Version], tuple[Present, Decision]] = self._look(job) if facts.is_locked else _unlocked(job)
        with ThreadPoolExecutor(THREADS) as threads:
            looks = list(threads.map(look, versions))
        tally, lifecycle = Tally(), facts.lifecycle_rules
        for version, (present, decision) in zip(versions, looks, strict=True):
            tally.count(version, present, decision, lifecycle, job.terms.at)
        self._files.write(survey_key(job, shard.number), tally.model_dump_json().encode())
        return tally

    def _look(self, job: LockJob) -> Callable[[Version], tuple[Present, Decision]]:
        def look(version: Version) -> tuple[Present, Decision]:
            if version.is_delete_marker:
                return Present(), decide(version, Present(), job.terms, job.terms.at)
            try:
                seen = self._retentions.present(version)
                present = Present(seen.retention, seen.has_event_hold, self._holds.is_held(version))
            except VersionGone as gone:
                return Present(), Decision(outcome=Outcome.GONE, reason=str(gone))
            except VersionRefused as refused:
                return Present(), Decision(outcome=Outcome.REFUSED, reason=str(refused))
            return present, decide(version, present, job.terms, job.terms.at)

        return look


def _unlocked(job: LockJob) -> Callable[[Version], tuple[Present, Decision]]:
    return lambda version: (Present(), decide(version, Present(), job.terms, job.terms.at))


def survey_key(job: LockJob, number: int) -> str:
    """Return where the tally of a shard is kept."""
    return f"{part_prefix(job, 'present')}surveys/{number:06d}.json"
