"""The judgement: whether every row of every object that was asked for is proven to be where it belongs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cli.reports.evidence import Evidence, RunRecord
from firewall_logs.contracts import Account, Disagreement, Manifest, PlannedObject, ReconciledObject

ObjectVerdict = Literal["proven", "quarantined whole", "disagreement", "not reconciled", "not committed", "missing"]


@dataclass(frozen=True)
class ObjectLine:
    """One raw object of the report.

    Attributes:
        footer_rows: Rows by the footers of its parquet files; None where nobody counted.
        files: Parquet files its manifest names.
    """

    key: str
    feed: str
    account: Account
    footer_rows: int | None
    files: int
    defect: str | None
    verdict: ObjectVerdict

    @property
    def settled(self) -> bool:
        """Whether nothing remains to be shown for this object."""
        return self.verdict in {"proven", "quarantined whole"}


@dataclass(frozen=True)
class Verdict:
    """What the evidence amounts to.

    Attributes:
        account: Sum over the manifests: each object counts once, however often it was delivered.
        doubts: One sentence for each reason not to trust the lake; empty means proven complete.
    """

    account: Account
    objects: list[ObjectLine]
    disagreements: list[Disagreement]
    doubts: list[str]

    @property
    def complete(self) -> bool:
        """Whether the lake is proven complete."""
        return not self.doubts

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if not self.objects:
            return "There was nothing to do: no object was asked for."
        if self.complete:
            return "The lake is proven complete."
        return "The lake is not proven complete."

    @property
    def reason(self) -> str:
        """What the headline rests on, in one or two sentences."""
        if self.doubts:
            more = len(self.doubts) - 1
            return self.doubts[0] + (
                f" There {'is 1 more doubt' if more == 1 else f'are {more} more doubts'} below." if more else ""
            )
        whole = sum(line.verdict == "quarantined whole" for line in self.objects)
        sentence = (
            f"Every row of {_count(len(self.objects), 'raw object')} is accounted for exactly once, and receipts, "
            "parquet footers and manifests agree."
        )
        if whole:
            sentence += (
                f" {_count(whole, 'object')} could not be read and {'is' if whole == 1 else 'are'} kept apart whole."
            )
        return sentence


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on the evidence."""
    lines = dict(_lines(evidence))
    disagreements = [d for run in evidence.runs if run.reconciliation for d in run.reconciliation.disagreements]
    account = sum((manifest.account for manifest in evidence.manifests.values()), Account())
    open_ids = {identity for identity, line in lines.items() if not line.settled}
    doubts = [*_run_doubts(evidence.runs, open_ids), *_object_doubts(list(lines.values()))]
    if not account.balances:
        doubts.append("The sum over all manifests does not balance: rows in is not out + quarantined + duplicates.")
    # What needs a look comes first.
    objects = sorted(lines.values(), key=lambda line: (line.settled, line.verdict == "proven", line.key))
    return Verdict(account=account, objects=objects, disagreements=disagreements, doubts=doubts)


def _lines(evidence: Evidence) -> Iterator[tuple[str, ObjectLine]]:
    # The latest reconciliation of an object is the one that counts: a quarrel may have been settled since.
    by_time = sorted(evidence.witnesses.values(), key=lambda reconciliation: reconciliation.reconciled_at)
    witnesses = {each.object_id: each for reconciliation in by_time for each in reconciliation.objects}
    seen: set[str] = set()
    for run in evidence.runs:
        for planned in run.plan.objects:
            identity = _identity(planned)
            if identity in seen or planned.status == "ignored":
                continue
            seen.add(identity)
            manifest, witness = evidence.manifests.get(identity), witnesses.get(identity)
            yield (
                identity,
                ObjectLine(
                    key=planned.ref.key,
                    feed=planned.feed or "-",
                    account=manifest.account if manifest else Account(),
                    footer_rows=witness.footer_rows if witness else None,
                    files=len(manifest.files) if manifest else 0,
                    defect=manifest.object_defect if manifest else None,
                    verdict="missing" if planned.status == "missing" else _standing(manifest, witness),
                ),
            )


def _identity(planned: PlannedObject) -> str:
    return planned.object_id or f"{planned.ref.bucket}/{planned.ref.key}@{planned.ref.version_id}"


def _standing(manifest: Manifest | None, witness: ReconciledObject | None) -> ObjectVerdict:
    if witness is not None and not witness.reconciled:
        return "disagreement"
    if manifest is None:
        return "not committed"
    if witness is None or not manifest.account.balances or manifest.account != witness.account:
        return "not reconciled"
    return "quarantined whole" if manifest.object_defect else "proven"


def _run_doubts(runs: list[RunRecord], open_ids: set[str]) -> Iterator[str]:
    # A run that failed is no doubt about the lake once another run has settled all of its objects.
    for run in runs:
        for each in run.reconciliation.disagreements if run.reconciliation else []:
            # Objects that were never found have their own sentence.
            if each.object_id is None and each.check != "object_missing":
                yield f"Run {run.run_id}: {each.where} disagree on {each.check}: {each.expected}, {each.found}."
        if not open_ids.intersection(map(_identity, run.plan.objects)):
            continue
        if run.failure:
            yield f"Run {run.run_id} failed in {run.failure.state}: {run.failure.error}."
        elif run.reconciliation is None and run.plan.units + run.plan.batch_units:
            yield f"Run {run.run_id} was not reconciled: it has not ended, or it was stopped."


def _object_doubts(lines: list[ObjectLine]) -> Iterator[str]:
    sentences: dict[ObjectVerdict, str] = {
        "disagreement": "of {} the witnesses disagree",
        "not committed": "{} asked for but never committed",
        "not reconciled": "{} committed but not reconciled",
        "missing": "{} asked for but not in the raw bucket",
    }
    for verdict, sentence in sentences.items():
        count = sum(line.verdict == verdict for line in lines)
        if count:
            was = "" if verdict == "disagreement" else " was" if count == 1 else " were"
            text = sentence.format(f"{_count(count, 'object')}{was}")
            yield text[0].upper() + text[1:] + "."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
