"""LockShard's work: the retention of each version of a shard, decided once, set once, counted once.

What is decided is kept before anything is set. So whoever goes on after a worker died knows which versions that one had
to set, and the counts are those that it would have come to.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from gzip import decompress
from typing import TYPE_CHECKING

from data_protection.errors import VersionGone, VersionRefused
from data_protection.locking.contracts import ShardDone, WorkOnShard
from data_protection.locking.lister import part_prefix
from data_protection.locking.retention import Decision, Outcome, Present, decide
from data_protection.locking.surveyor import THREADS
from data_protection.locking.tally import Amount
from data_protection.locking.versions import Version
from kernel.contracts import Contract
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.lock_ledger import ShardLedger
    from data_protection.adapters.retentions import RetentionReader, RetentionWriter


class Refusal(Contract):
    """A version that was not locked, and why."""

    key: str
    id: str
    reason: str


@dataclass(frozen=True)
class _End:
    outcome: Outcome
    reason: str = ""


class ShardLocker:
    """Locks shards.

    Args:
        files: Keep the listing, what is decided and what is refused.
        ledger: Keeps what became of shards.
        retentions: Reads how versions are locked.
        writer: Locks them.
        now: The time.
    """

    def __init__(
        self,
        files: "LockFiles",
        ledger: "ShardLedger",
        retentions: "RetentionReader",
        writer: "RetentionWriter",
        now: Callable[[], datetime],
    ) -> None:
        self._files, self._ledger = files, ledger
        self._retentions, self._writer = retentions, writer
        self._now = now

    def lock(self, asked: WorkOnShard) -> ShardDone:
        """Lock a shard, unless it is done; what was refused in another run is tried once more.

        Raises:
            ClientError: S3 throttles or fails; what was set until then is found at the next attempt.
        """
        job, part, number = asked.job, asked.part, asked.shard.number
        done = self._ledger.find(job.simulation, part, number)
        if done is not None and (not done.refused or done.run == job.run):
            return done
        versions = self._files.versions(asked.shard.key)
        decisions, was_interrupted = self._decisions(asked, versions)
        with ThreadPoolExecutor(THREADS) as threads:
            set_it = self._finish(asked) if was_interrupted else self._begin
            ends = list(threads.map(set_it, versions, decisions))
        done = self._account(asked, versions, ends)
        self._ledger.keep(job.simulation, part, done)
        return done

    def _decisions(self, asked: WorkOnShard, versions: Sequence[Version]) -> tuple[Sequence[Decision], bool]:
        """Return what is to become of each version, and whether another attempt has decided it."""
        key = f"{part_prefix(asked.job, asked.part)}decisions/{asked.shard.number:06d}.jsonl.gz"
        kept = self._files.lines(key)
        if kept is None:
            with ThreadPoolExecutor(THREADS) as threads:
                decisions = list(threads.map(lambda version: self._decide(asked, version), versions))
            try:
                self._files.write_lines_once(key, decisions)
            except EffectConflict:
                # Two attempts at once: the first one's word counts.
                kept = self._files.lines(key)
        if kept is None:
            return decisions, False
        return [Decision.model_validate_json(line) for line in decompress(kept).splitlines()], True

    def _decide(self, asked: WorkOnShard, version: Version) -> Decision:
        if version.is_delete_marker:
            return decide(version, Present(), asked.job.terms, self._now())
        try:
            return decide(version, self._retentions.present(version), asked.job.terms, self._now())
        except VersionGone as gone:
            return Decision(outcome=Outcome.GONE, reason=str(gone))
        except VersionRefused as refused:
            return Decision(outcome=Outcome.REFUSED, reason=str(refused))

    def _begin(self, version: Version, decision: Decision) -> _End:
        """Set what was decided just now."""
        if decision.outcome is not Outcome.SET:
            return _End(decision.outcome, decision.reason)
        try:
            self._writer.set(version, decision)
        except VersionGone as gone:
            return _End(Outcome.GONE, str(gone))
        except VersionRefused as refused:
            return _End(Outcome.REFUSED, str(refused))
        return _End(Outcome.SET)

    def _finish(self, asked: WorkOnShard) -> Callable[[Version, Decision], _End]:
        """Return what goes on with a decision that another attempt has made, and perhaps set."""

        def finish(version: Version, decision: Decision) -> _End:
            if decision.outcome not in {Outcome.SET, Outcome.REFUSED}:
                return _End(decision.outcome, decision.reason)
            again = self._decide(asked, version)
            if decision.outcome is Outcome.SET and again.outcome in {Outcome.ALREADY, Outcome.LONGER}:
                return _End(Outcome.SET)
            return self._begin(version, again)

        return finish

    def _account(self, asked: WorkOnShard, versions: Sequence[Version], ends: Sequence[_End]) -> ShardDone:
        outcomes: dict[Outcome, Amount] = {}
        refusals: list[Refusal] = []
        for version, end in zip(versions, ends, strict=True):
            outcomes.setdefault(end.outcome, Amount()).add(Amount(versions=1, size=version.size))
            if end.outcome is Outcome.REFUSED:
                refusals.append(Refusal(key=version.key, id=version.id, reason=end.reason))
        refused = f"{part_prefix(asked.job, asked.part)}refused/{asked.shard.number:06d}.jsonl.gz" if refusals else ""
        if refusals:
            self._files.write_lines(refused, refusals)
        return ShardDone(run=asked.job.run, number=asked.shard.number, outcomes=outcomes, refused=refused)
