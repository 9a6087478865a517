"""CompactUnit's work: one cut of a day from the inputs of its plan to files and receipt, in this order.

Each effect is idempotent and comes after the one it vouches for. A worker killed between any two leaves nothing that
the next attempt could not find and finish.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from firewall_logs import locations
from firewall_logs.contracts import LakeFile
from firewall_logs.days.compaction import Compacted, compact
from firewall_logs.days.contracts import (
    CompactionMeasured,
    CompactionProof,
    CompactionReceipt,
    CompactionUnit,
)
from firewall_logs.days.inputs import Inputs
from firewall_logs.errors import CutMismatch, PlanMissing
from firewall_logs.files import LocalFile
from firewall_logs.process import peak_rss_mb

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import LakeReader, LakeWriter
    from firewall_logs.adapters.seals import CompactionReceiptBook, SealPlanReader


class Compactor:
    """Compacts cuts of days."""

    def __init__(
        self,
        plans: "SealPlanReader",
        inputs: "LakeReader",
        lake: "LakeWriter",
        receipts: "CompactionReceiptBook",
        *,
        memory_mb: int,
        now: Callable[[], datetime],
    ) -> None:
        self._plans = plans
        self._inputs = inputs
        self._lake = lake
        self._receipts = receipts
        self._memory_mb = memory_mb
        self._now = now

    def compact(self, unit: CompactionUnit) -> CompactionReceipt:
        """Bring a cut into the lake; one that has a receipt of its seal is not read again.

        Raises:
            PlanMissing: The seal has no plan.
            InputGone: Another seal has replaced an input.
            InputUnsorted: An input does not have the order of the lake.
            CutMismatch: The inputs have other rows of the cut than was counted.
            EffectConflict: A file or receipt exists with other content.
        """
        return self._receipts.read(unit.seal_id, unit.index) or self._make(unit)

    def _make(self, unit: CompactionUnit) -> CompactionReceipt:
        planned = self._plans.inputs(unit.seal_id)
        if planned is None:
            raise PlanMissing(f"Seal {unit.seal_id} has no inputs.jsonl: its day is planned before it is compacted.")
        started_at, began, cpu = self._now(), time.perf_counter(), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder, "raw"), Path(folder, "out")
            raw.mkdir()
            out.mkdir()
            inputs = Inputs(self._inputs, unit.cut, raw)
            with closing(inputs.of(planned)) as given:
                compacted = compact(given, unit.cut, out)
            _require_all(compacted, unit)
            files = [self._upload(file, unit) for file in compacted.files]
        receipt = CompactionReceipt(
            proof=_proof(compacted, files, unit.inputs_id, unit.index),
            measured=CompactionMeasured(
                seal_id=unit.seal_id,
                started_at=started_at,
                seconds=round(time.perf_counter() - began, 4),
                cpu_seconds=round(time.process_time() - cpu, 4),
                memory_mb=self._memory_mb,
                peak_rss_mb=round(peak_rss_mb(), 1),
                bytes_read=inputs.bytes,
                bytes_written=sum(file.bytes for file in files),
                # And the looks for a receipt and at the list of inputs; and the receipt.
                s3_gets=inputs.gets + 2,
                s3_puts=len(files) + 1,
            ),
        )
        self._receipts.write(receipt)
        return receipt

    def _upload(self, file: LocalFile, unit: CompactionUnit) -> LakeFile:
        key = locations.sealed_key(file.kind, unit.event_date, unit.inputs_id, unit.index)
        return LakeFile(
            kind=file.kind,
            key=key,
            event_date=unit.event_date,
            rows=file.rows,
            bytes=file.path.stat().st_size,
            sha256=self._lake.put(key, file.path),
            min_time=file.min_time,
            max_time=file.max_time,
        )


def _require_all(compacted: Compacted, unit: CompactionUnit) -> None:
    """Raise CutMismatch unless all rows of the cut, and no others, came in."""
    if compacted.rows_in != unit.cut.rows:
        raise CutMismatch(
            f"Cut {unit.index} of {unit.event_date} ({unit.seal_id}) has {compacted.rows_in} events where the hourly "
            f"counts of its inputs say {unit.cut.rows}. Nothing was written. Compare the files that the seal's "
            "plan.json names under `events` and `hourly`, object by object; restore from the lake bucket's versions "
            "what somebody has replaced, then seal the day again."
        )


def _proof(compacted: Compacted, files: list[LakeFile], inputs_id: str, index: int) -> CompactionProof:
    return CompactionProof(
        inputs_id=inputs_id,
        index=index,
        rows_in=compacted.rows_in,
        rows_out=compacted.rows_in - compacted.duplicates,
        duplicates=compacted.duplicates,
        files=files,
        profiles=compacted.profiles,
    )
