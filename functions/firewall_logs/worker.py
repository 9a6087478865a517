"""ProcessUnit's work: every slice of a unit from raw bytes to files, receipt and ledger, in this order.

Each effect is idempotent and comes after the one it vouches for: files, then the receipt that names them, then the
ledger's mark. A worker killed between any two leaves nothing that the next attempt could not find and finish.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from firewall_logs import locations
from firewall_logs.contracts import Account, LakeFile, Measured, Proof, Receipt, Slice, Unit, UnitResult
from firewall_logs.names import add_up, first_columns
from firewall_logs.process import peak_rss_mb
from firewall_logs.transform import LocalFile, Outcome, transform
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import LakeWriter
    from firewall_logs.adapters.ledger import LedgerLease
    from firewall_logs.adapters.runs import ReceiptBook
    from firewall_logs.adapters.source import SourceReader


class Worker:
    """Works through units."""

    def __init__(
        self,
        source: "SourceReader",
        lake: "LakeWriter",
        receipts: "ReceiptBook",
        lease: "LedgerLease",
        *,
        lease_seconds: int,
        memory_mb: int,
        vcpus: float = 0,
        now: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._lake = lake
        self._receipts = receipts
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._memory_mb = memory_mb
        self._vcpus = vcpus
        self._now = now

    def work(self, unit: Unit) -> tuple[UnitResult, list[Receipt]]:
        """Bring every slice of the unit into the lake; slices that have a receipt are not read again.

        Raises:
            LeaseLost: Another run has taken an object over.
            SourceChanged: An object is no longer what was planned.
            SourceUnreadable: An object may not be read, or not any more.
            EffectConflict: A file or receipt exists with other content.
        """
        receipts = [self._finish(piece, unit) for piece in unit.slices]
        account = sum((receipt.proof.account for receipt in receipts), Account())
        return UnitResult(unit=unit.unit, slices=len(receipts), account=account), receipts

    def _finish(self, piece: Slice, unit: Unit) -> Receipt:
        receipt = self._receipts.read(piece.object_id, piece.index) or self._make(piece, unit)
        self._lease.mark_written(piece.object_id, piece.epoch, piece.index)
        return receipt

    def _make(self, piece: Slice, unit: Unit) -> Receipt:
        self._lease.renew(piece.object_id, piece.epoch, now=self._now(), lease_seconds=self._lease_seconds)
        started_at, began, cpu = self._now(), time.perf_counter(), time.process_time()
        gets, read = self._source.gets, self._source.bytes
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder, "raw"), Path(folder, "out")
            out.mkdir()
            if piece.defect is None:
                self._source.fetch(piece, raw)
            outcome = transform(piece, raw, out)
            raw.unlink(missing_ok=True)
            files = [self._upload(piece, file) for file in outcome.files]
        receipt = Receipt(
            proof=_proof(piece, outcome, files),
            measured=Measured(
                run_id=unit.run_id,
                unit=unit.unit,
                started_at=started_at,
                seconds=round(time.perf_counter() - began, 4),
                cpu_seconds=round(time.process_time() - cpu, 4),
                memory_mb=self._memory_mb,
                peak_rss_mb=round(peak_rss_mb(), 1),
                vcpus=self._vcpus,
                bytes_read=self._source.bytes - read,
                bytes_written=sum(file.bytes for file in files),
                s3_gets=self._source.gets - gets + 1,
                s3_puts=len(files) + 1,
            ),
        )
        self._receipts.write(receipt)
        return receipt

    def _upload(self, piece: Slice, file: LocalFile) -> LakeFile:
        partition = file.event_date or locations.object_date(piece.source.last_modified)
        key = locations.lake_key(file.kind, partition, piece.object_id, piece.index)
        return LakeFile(
            kind=file.kind,
            key=key,
            event_date=file.event_date,
            rows=file.rows,
            bytes=file.path.stat().st_size,
            sha256=self._lake.put(key, file.path),
            min_time=file.min_time,
            max_time=file.max_time,
        )


def _proof(piece: Slice, outcome: Outcome, files: list[LakeFile]) -> Proof:
    columns_seen, columns_omitted = first_columns(outcome.columns_seen)
    return Proof(
        object_id=piece.object_id,
        index=piece.index,
        slices=piece.slices,
        transform_version=TRANSFORM_VERSION,
        feed=piece.feed,
        zone=piece.zone,
        source=piece.source,
        account=outcome.account,
        blank_lines=outcome.blank_lines,
        source_rows=outcome.source_rows,
        quarantined_by_reason=outcome.quarantined_by_reason,
        object_defect=outcome.object_defect,
        columns_seen=columns_seen,
        columns_omitted=columns_omitted,
        drift=add_up([outcome.drift]),
        files=files,
        replay_of=piece.replay_of,
    )
