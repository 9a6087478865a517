"""ReconcileRun's work: calls every witness of a run and records the verdict."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Final

from firewall_logs import locations
from firewall_logs.contracts import (
    Account,
    Disagreement,
    LakeFile,
    PlannedObject,
    Proof,
    Reconciliation,
    RunPlan,
)
from firewall_logs.reconciliation import Witnesses, reconcile

if TYPE_CHECKING:
    from firewall_logs.adapters.footers import LakeFooters
    from firewall_logs.adapters.lake import LakeListing
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.adapters.runs import ReceiptReader

_THREADS: Final = 32


class Reconciler:
    """Asks receipts, footers, listing and ledger about every object of a run."""

    def __init__(
        self,
        receipts: "ReceiptReader",
        footers: "LakeFooters",
        listing: "LakeListing",
        ledger: "LedgerReader",
    ) -> None:
        self._receipts = receipts
        self._footers = footers
        self._listing = listing
        self._ledger = ledger

    def reconcile(self, plan: RunPlan, now: datetime) -> Reconciliation:
        """Return the verdict on a run: every disagreement of every object, and objects that were never found."""
        objects = [planned for planned in plan.objects if planned.status == "planned"]
        with ThreadPoolExecutor(_THREADS) as threads:
            proofs = self._proofs(objects, threads)
            files = [file for proof in proofs.values() for file in proof.files]
            footers = dict(
                zip((f.key for f in files), threads.map(lambda f: self._footers.read(f.key), files), strict=True)
            )
            hourly = [file for file in files if file.kind == "hourly" and footers[file.key] is not None]
            totals = threads.map(lambda f: self._footers.total(f.key, "events"), hourly)
            events = dict(zip((f.key for f in hourly), totals, strict=True))
            listed = self._listed(proofs.values(), threads)
        entries = {e.object_id: e for e in self._ledger.entries(str(o.object_id) for o in objects)}
        verdicts = []
        disagreements = list(_never_found(plan))
        for planned in objects:
            mine = {index: proof for (owner, index), proof in proofs.items() if owner == planned.object_id}
            keys = {file.key for proof in mine.values() for file in proof.files}
            verdict, found = reconcile(
                Witnesses(
                    planned=planned,
                    proofs=mine,
                    footers={key: footers[key] for key in keys},
                    hourly_events={key: events[key] for key in keys & events.keys()},
                    listed=listed[str(planned.object_id)],
                    entry=entries.get(str(planned.object_id)),
                    run_id=plan.run_id,
                )
            )
            verdicts.append(verdict)
            disagreements += found
        return Reconciliation(
            run_id=plan.run_id,
            reconciled_at=now,
            account=sum((verdict.account for verdict in verdicts), Account()),
            footer_rows=sum(verdict.footer_rows for verdict in verdicts),
            objects=verdicts,
            disagreements=disagreements,
        )

    def _proofs(self, objects: Iterable[PlannedObject], threads: ThreadPoolExecutor) -> dict[tuple[str, int], Proof]:
        wanted = [(str(o.object_id), index) for o in objects for index in range(o.slices)]
        receipts = threads.map(lambda place: self._receipts.read(*place), wanted)
        return {place: receipt.proof for place, receipt in zip(wanted, receipts, strict=True) if receipt is not None}

    def _listed(self, proofs: Iterable[Proof], threads: ThreadPoolExecutor) -> Mapping[str, dict[str, int]]:
        """List every partition the run wrote to, once, and sort what lies there by object."""
        prefixes = sorted({_partition(proof, file) for proof in proofs for file in proof.files})
        listed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for entries in threads.map(lambda prefix: list(self._listing.partition(prefix)), prefixes):
            for key, size in entries:
                listed[key.rpartition("/")[2].partition("-")[0]][key] = size
        return listed


def _partition(proof: Proof, file: LakeFile) -> str:
    day = file.event_date or locations.object_date(proof.source.last_modified)
    return locations.partition_prefix(file.kind, day)


def _never_found(plan: RunPlan) -> Iterable[Disagreement]:
    for planned in plan.objects:
        if planned.status in {"missing", "unreadable"}:
            yield Disagreement(
                object_id=None,
                check=f"object_{planned.status}",
                expected=f"s3://{planned.ref.bucket}/{planned.ref.key}",
                found=planned.note or "nothing",
                where="request against the source bucket",
            )
