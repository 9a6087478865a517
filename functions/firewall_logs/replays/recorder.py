"""RecordReplay's work: what the manifests say of the objects that rows were replayed from."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import Account, ListedObject, ReplayOf
from firewall_logs.names import add_counts
from firewall_logs.replays.contracts import ReplayOutcome, ReplayRecord

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import ManifestReader
    from firewall_logs.adapters.replays import ReplayObjects

_THREADS: Final = 16


class ReplayRecorder:
    """Asks what became of a replay's objects."""

    def __init__(self, objects: "ReplayObjects", manifests: "ManifestReader") -> None:
        self._objects = objects
        self._manifests = manifests

    def record(self, replay_id: str, listed: Iterable[ListedObject], now: datetime) -> ReplayRecord:
        """Return what became of every object of the list; those that are no replay are left out."""
        with ThreadPoolExecutor(_THREADS) as threads:
            found = [outcome for outcome in threads.map(self._outcome, listed) if outcome is not None]
        accounts = [outcome.account for outcome in found if outcome.account is not None]
        return ReplayRecord(
            replay_id=replay_id,
            recorded_at=now,
            account=sum(accounts, Account()),
            quarantined_by_reason=add_counts(outcome.quarantined_by_reason for outcome in found),
            open=len(found) - len(accounts),
            outcomes=found,
        )

    def _outcome(self, listed: ListedObject) -> ReplayOutcome | None:
        replay = listed.replay_of
        if replay is None:
            return None
        source = self._objects.find(listed.key)
        manifest = None if source is None else self._manifests.of(source)
        return ReplayOutcome(
            replay_of=ReplayOf(object_id=replay.object_id, reason=replay.reason, rows=replay.rows),
            key=listed.key,
            account=None if manifest is None else manifest.account,
            quarantined_by_reason={} if manifest is None else manifest.quarantined_by_reason,
        )
