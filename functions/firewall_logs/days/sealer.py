"""SealDay's work: the document that is the seal, tables, state, event, in this order."""

from typing import TYPE_CHECKING

from firewall_logs.days.contracts import DayReopened, DaySealed, SealedDay, SealResult, VersionStep
from firewall_logs.errors import SealLost
from firewall_logs.locations import day_key

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayIndex, DayReader, DaySeals
    from firewall_logs.adapters.sealed import SealedWriter
    from firewall_logs.adapters.seals import CandidateReader
    from kernel.bus import Bus


class Sealer:
    """Commits versions of days."""

    def __init__(
        self,
        candidates: "CandidateReader",
        sealed: "SealedWriter",
        *,
        seals: "DaySeals",
        days: "DayReader",
        index: "DayIndex",
        bus: "Bus",
    ) -> None:
        self._candidates = candidates
        self._sealed = sealed
        self._seals = seals
        self._days = days
        self._index = index
        self._bus = bus

    def seal(self, step: VersionStep) -> tuple[SealedDay, SealResult]:
        """Commit the candidate of this seal; or, where it has none of this version, finish what is committed already.

        Raises:
            SealLost: Another seal committed the version, or this one does not hold the day any more.
            SealMissing: There is neither a candidate nor a version.
        """
        if not self._seals.holds(step.event_date, step.seal_id):
            raise SealLost(
                f"Seal {step.seal_id} does not hold {step.event_date} any more: it was given up, and another one may "
                "have sealed a later version. Nothing was changed; start seal_day for the day again."
            )
        document = self._candidates.read(step.seal_id, step.version)
        if document is None:
            document = self._sealed.read(step.event_date, step.version)
        else:
            self._sealed.commit(document)
        self._sealed.show(document)
        self._seals.sealed(document)
        reopened = self._reopen_for_late(document, step.seal_id)
        self._bus.publish(
            "DaySealed",
            DaySealed(
                event_date=document.event_date,
                version=document.version,
                lake_bucket=self._sealed.bucket,
                document_key=day_key(document.event_date, document.version),
                rows=document.account.rows_out,
                files=len(document.files),
                late_rows=document.late_rows,
            ),
        )
        result = SealResult(
            event_date=document.event_date,
            version=document.version,
            status="REOPENED" if reopened else "SEALED",
            rows=document.account.rows_out,
            files=len(document.files),
            late_objects=document.late_objects,
            reopened=reopened,
        )
        return document, result

    def _reopen_for_late(self, document: SealedDay, seal_id: str) -> bool:
        """Look once more, now that the state is written: what came in between saw no sealed day to reopen (ADR 7)."""
        sealed = set(document.objects)
        late = [entry for entry in self._days.objects(document.event_date) if entry.object_id not in sealed]
        if not late:
            return False
        if self._index.reopen(document.event_date, seal_id, document.version):
            rows = sum(entry.rows for entry in late)
            self._bus.publish(
                "DayReopened",
                DayReopened(
                    event_date=document.event_date,
                    version=document.version,
                    run_id=seal_id,
                    objects=len(late),
                    rows=rows,
                ),
            )
        return True
