"""Whether the files of the next version are what the plan promised: pure comparisons. And the version itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from firewall_logs import schema
from firewall_logs.contracts import Account, Disagreement, LakeFile
from firewall_logs.days.contracts import CompactionProof, FeedProfile, SealedDay, SealPlan, Verdict
from firewall_logs.reconciliation import LakeFooter

# Tables whose `events` add up to the rows of a cut.
COUNTS: Final = ("hourly", "addresses")


@dataclass(frozen=True)
class CutWitnesses:
    """What is known of the cuts of a plan.

    Attributes:
        proofs: By cut, as far as there are receipts.
        footers: Of the compacted files, by key; None for a file that is missing or unreadable.
        counted_events: Sum of each file of counts, by key.
    """

    proofs: Mapping[int, CompactionProof]
    footers: Mapping[str, LakeFooter | None]
    counted_events: Mapping[str, int]


def compare(plan: SealPlan, seen: CutWitnesses) -> Iterator[Disagreement]:
    """Yield every contradiction between the plan, the receipts of its cuts and their files."""
    for index, cut in enumerate(plan.cuts):
        proof = seen.proofs.get(index)
        if proof is None or proof.inputs_id != plan.inputs_id:
            yield _differ("cut_missing", f"a receipt of cut {index}", "none", "plan against receipts")
            continue
        if proof.rows_in != cut.rows:
            yield _differ("cut_rows", cut.rows, proof.rows_in, f"hourly counts against receipt of cut {index}")
        yield from _files(plan, proof, seen)
    rows = sum(file.rows for file in plan.events)
    cut_rows = sum(proof.rows_in for proof in seen.proofs.values())
    if rows != cut_rows:
        yield _differ("day_rows", rows, cut_rows, "input files against receipts of cuts")


def _files(plan: SealPlan, proof: CompactionProof, seen: CutWitnesses) -> Iterator[Disagreement]:
    for file in proof.files:
        footer = seen.footers.get(file.key)
        where = f"receipt against footer of {file.key}"
        if footer is None:
            yield _differ("file_unreadable", f"{file.rows} rows", "no readable parquet", where)
            continue
        if (footer.rows, footer.bytes) != (file.rows, file.bytes):
            expected, found = f"{file.rows} rows, {file.bytes} bytes", f"{footer.rows} rows, {footer.bytes} bytes"
            yield _differ("file_rows", expected, found, where)
        if footer.columns != schema.COLUMNS[file.kind]:
            yield _differ("file_columns", ",".join(schema.COLUMNS[file.kind]), ",".join(footer.columns), where)
        if file.kind == "events" and not _within(plan, footer):
            times = f"{footer.min_time} to {footer.max_time}"
            yield _differ("file_partition", f"{plan.event_date} in UTC", times, where)
    events = sum(file.rows for file in proof.files if file.kind == "events")
    if events != proof.rows_out:
        yield _differ("rows_out", proof.rows_out, events, f"receipt of cut {proof.index} against its files")
    for kind in COUNTS:
        counted = sum(seen.counted_events.get(file.key, 0) for file in proof.files if file.kind == kind)
        if counted != proof.rows_out:
            where = f"receipt of cut {proof.index} against counts of {kind}"
            yield _differ("counted_events", proof.rows_out, counted, where)


def _within(plan: SealPlan, footer: LakeFooter) -> bool:
    if footer.min_time is None or footer.max_time is None:
        return False
    start = datetime.combine(plan.event_date, time(), UTC)
    return start <= footer.min_time <= footer.max_time < start + timedelta(days=1)


def sealed_day(
    plan: SealPlan,
    proofs: Sequence[CompactionProof],
    profiles: Mapping[str, FeedProfile],
    verdicts: Sequence[Verdict],
    waived: Sequence[str],
) -> SealedDay:
    """Return the version of a day that a plan became."""
    files: list[LakeFile] = [file for proof in proofs for file in proof.files]
    return SealedDay(
        event_date=plan.event_date,
        version=plan.version,
        seal_id=plan.seal_id,
        as_of=plan.as_of,
        transform_versions=plan.transform_versions,
        objects=plan.objects,
        account=Account(
            rows_in=sum(proof.rows_in for proof in proofs),
            rows_out=sum(proof.rows_out for proof in proofs),
            duplicates=sum(proof.duplicates for proof in proofs),
        ),
        rows={feed: found.rows for feed, found in sorted(profiles.items())},
        arrivals=plan.arrivals,
        files=files,
        # A file that is made of itself alone stays what it is.
        replaced=sorted({file.key for file in (*plan.events, *plan.hourly)} - {file.key for file in files}),
        quality=list(verdicts),
        waived=sorted(waived),
        late_objects=plan.late_objects,
        late_rows=plan.late_rows,
    )


def _differ(check: str, expected: object, found: object, where: str) -> Disagreement:
    return Disagreement(object_id=None, check=check, expected=str(expected), found=str(found), where=where)
