"""Whether witnesses agree: pure comparisons over what was read.

Per object the witnesses are the plan (footers of the raw objects, read before), the receipts (what the writer says),
the footers of the lake's files (read by another library), the listing of the lake, and the ledger.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from firewall_logs import schema
from firewall_logs.contracts import (
    Account,
    Disagreement,
    LakeFile,
    PlannedObject,
    Proof,
    ReconciledObject,
)

if TYPE_CHECKING:
    from firewall_logs.adapters.ledger import Entry


@dataclass(frozen=True)
class LakeFooter:
    """What a file of the lake says of itself.

    Attributes:
        rows: Rows by the footer.
        bytes: Size of the object.
        columns: Its columns, in order.
        min_time: Smallest `event_time` by the statistics, None where the file has no such column.
        max_time: Largest.
    """

    rows: int
    bytes: int
    columns: tuple[str, ...]
    min_time: datetime | None
    max_time: datetime | None


@dataclass(frozen=True)
class Witnesses:
    """All that is known of one object.

    Attributes:
        planned: What the plan says.
        proofs: What the receipts say, by slice; a slice without receipt is missing.
        footers: What the written files say, by key; None for a file that is missing or unreadable.
        hourly_events: Sum of `events` of each hourly file, by key.
        listed: Size of each file of this object in the listing of the lake, by key.
        entry: What the ledger says; None where it knows nothing.
        run_id: Who asks.
    """

    planned: PlannedObject
    proofs: Mapping[int, Proof]
    footers: "Mapping[str, LakeFooter | None]"
    hourly_events: Mapping[str, int]
    listed: Mapping[str, int]
    entry: "Entry | None"
    run_id: str

    @property
    def files(self) -> list[LakeFile]:
        """Every file that a receipt names."""
        return [file for proof in self.proofs.values() for file in proof.files]

    @property
    def account(self) -> Account:
        """The receipts' sum."""
        return sum((proof.account for proof in self.proofs.values()), Account())


def reconcile(seen: Witnesses) -> tuple[ReconciledObject, list[Disagreement]]:
    """Return the verdict on one object and every disagreement."""
    found = list(_disagreements(seen))
    verdict = ReconciledObject(
        object_id=_identity(seen),
        feed=seen.planned.feed or "",
        key=seen.planned.ref.key,
        account=seen.account,
        footer_rows=sum(_rows_of(seen, "events")),
        files=len(seen.files),
        object_defect=next((p.object_defect for p in seen.proofs.values() if p.object_defect), None),
        reconciled=not found,
    )
    return verdict, found


def _disagreements(seen: Witnesses) -> Iterator[Disagreement]:
    yield from _receipts(seen)
    yield from _counts(seen)
    for file in seen.files:
        yield from _file(seen, file)
    yield from _listing(seen)
    yield from _ledger(seen)


def in_words(found: Disagreement) -> str:
    """Return a disagreement as people read it in a failed state."""
    return f"{found.check}: {found.where}: {found.expected}, but {found.found}"


def _receipts(seen: Witnesses) -> Iterator[Disagreement]:
    for index in range(seen.planned.slices):
        if index not in seen.proofs:
            yield _differ(seen, "receipt_missing", f"slice {index}", "no receipt", "plan against receipts")
    for index, proof in seen.proofs.items():
        where = f"receipt of slice {index}"
        if not proof.account.balances:
            yield _differ(seen, "account_unbalanced", proof.account.rows_in, proof.account.model_dump_json(), where)
        if proof.source_rows != proof.account.rows_in:
            yield _differ(seen, "source_rows", proof.source_rows, proof.account.rows_in, where)
        if proof.source.size != seen.planned.size:
            yield _differ(seen, "source_size", seen.planned.size, proof.source.size, f"plan against {where}")


def _counts(seen: Witnesses) -> Iterator[Disagreement]:
    account = seen.account
    complete = len(seen.proofs) == seen.planned.slices
    if complete and seen.planned.rows not in {None, account.rows_in}:
        yield _differ(seen, "planned_rows", seen.planned.rows, account.rows_in, "raw footer against receipts")
    events = sum(_rows_of(seen, "events"))
    if events != account.rows_out:
        yield _differ(seen, "rows_out", account.rows_out, events, "receipts against footers of events")
    # What is quarantined whole has one record, however many rows are known to be in it.
    records = sum(1 if proof.object_defect else proof.account.quarantined for proof in seen.proofs.values())
    kept = sum(_rows_of(seen, "quarantine"))
    if kept != records:
        yield _differ(seen, "quarantined", records, kept, "receipts against footers of quarantine")
    hourly = sum(seen.hourly_events.values())
    if hourly != account.rows_out:
        yield _differ(seen, "hourly_events", account.rows_out, hourly, "receipts against sums of hourly")


def _file(seen: Witnesses, file: LakeFile) -> Iterator[Disagreement]:
    footer = seen.footers.get(file.key)
    where = f"receipt against footer of {file.key}"
    if footer is None:
        yield _differ(seen, "file_unreadable", f"{file.rows} rows", "no readable parquet", where)
        return
    if footer.rows != file.rows:
        yield _differ(seen, "file_rows", file.rows, footer.rows, where)
    if footer.bytes != file.bytes:
        yield _differ(seen, "file_bytes", file.bytes, footer.bytes, where)
    if footer.columns != schema.COLUMNS[file.kind]:
        yield _differ(seen, "file_columns", ",".join(schema.COLUMNS[file.kind]), ",".join(footer.columns), where)
    if file.kind == "events" and not _in_partition(file, footer):
        times = f"{footer.min_time} to {footer.max_time}"
        yield _differ(seen, "file_partition", f"{file.event_date} in UTC", times, where)


def _in_partition(file: LakeFile, footer: "LakeFooter") -> bool:
    if file.event_date is None or footer.min_time is None or footer.max_time is None:
        return False
    start = datetime.combine(file.event_date, time(), UTC)
    return start <= footer.min_time <= footer.max_time < start + timedelta(days=1)


def _listing(seen: Witnesses) -> Iterator[Disagreement]:
    named = {file.key: file.bytes for file in seen.files}
    for key in sorted(named.keys() - seen.listed.keys()):
        yield _differ(seen, "file_unlisted", key, "not listed", "receipts against the listing of the lake")
    # Files of a slice whose receipt is missing are the remains of an attempt that was cut short: the missing receipt
    # is reported, and the next attempt finds them.
    if len(seen.proofs) == seen.planned.slices:
        for key in sorted(seen.listed.keys() - named.keys()):
            yield _differ(seen, "file_unclaimed", "no such file", key, "receipts against the listing of the lake")


def _ledger(seen: Witnesses) -> Iterator[Disagreement]:
    entry = seen.entry
    if entry is None:
        yield _differ(seen, "ledger_missing", "claimed by this run", "no entry", "plan against ledger")
        return
    if entry.owner != seen.run_id or entry.epoch != seen.planned.epoch or entry.state == "FAILED":
        yield _differ(
            seen,
            "ledger_holder",
            f"{seen.run_id} under epoch {seen.planned.epoch}",
            f"{entry.state} by {entry.owner} under epoch {entry.epoch}",
            "plan against ledger",
        )
    missing = set(range(seen.planned.slices)) - entry.written
    if missing:
        yield _differ(
            seen,
            "ledger_written",
            f"{seen.planned.slices} slices",
            f"not {sorted(missing)}",
            "plan against ledger",
        )


def _rows_of(seen: Witnesses, kind: str) -> Iterator[int]:
    for file in seen.files:
        footer = seen.footers.get(file.key)
        if file.kind == kind and footer is not None:
            yield footer.rows


def _identity(seen: Witnesses) -> str:
    if seen.planned.object_id is None:
        raise ValueError("only planned objects are reconciled")
    return seen.planned.object_id


def _differ(seen: Witnesses, check: str, expected: object, found: object, where: str) -> Disagreement:
    return Disagreement(
        object_id=seen.planned.object_id, check=check, expected=str(expected), found=str(found), where=where
    )
