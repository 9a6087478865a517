"""What finished runs left behind, read back from the runs bucket and the lake."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from firewall_logs.contracts import (
    FailureRecord,
    Manifest,
    Receipt,
    Reconciliation,
    RunPlan,
    RunSummary,
    SourceObject,
)
from firewall_logs.identity import source_id
from firewall_logs.locations import LAKE, manifest_key, receipt_key, run_key
from kernel.contracts import Contract
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Documents are small and many: the time goes into round trips, so several are under way at once.
_READERS: Final = 16

_Document = TypeVar("_Document", bound=Contract)


class RunUnknown(LookupError):
    """No run of this name left a plan."""


@dataclass(frozen=True)
class RunRecord:
    """One run: its plan, and whatever of the rest it got to."""

    plan: RunPlan
    reconciliation: Reconciliation | None
    summary: RunSummary | None
    failure: FailureRecord | None

    @property
    def run_id(self) -> str:
        """The run's name, which is its execution's."""
        return self.plan.run_id


@dataclass(frozen=True)
class Evidence:
    """Everything a report rests on.

    Attributes:
        runs: The runs that were asked for, oldest first.
        witnesses: Reconciliations by run, also of earlier runs that committed objects these runs met again.
        manifests: What is committed, by object id: the only rows that count.
        receipts: What each slice took, for the objects of these runs.
    """

    runs: list[RunRecord]
    witnesses: dict[str, Reconciliation]
    manifests: dict[str, Manifest]
    receipts: list[Receipt]


class RunArchive:
    """Reads runs from the two buckets of an environment."""

    def __init__(self, s3: "S3Client", *, runs_bucket: str, lake_bucket: str) -> None:
        self._s3 = s3
        self._runs = Bucket(s3, runs_bucket)
        self._lake = Bucket(s3, lake_bucket)

    def run_ids(self) -> list[str]:
        """Return the names of all runs that left a plan, latest plan last."""
        found = []
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._runs.name, Prefix=f"{LAKE}/runs/"):
            found += [(entry["LastModified"], entry["Key"]) for entry in page.get("Contents", [])]
        return [key.split("/")[-2] for _, key in sorted(found) if key.endswith("/plan.json")]

    def gather(self, run_ids: Iterable[str]) -> Evidence:
        """Return the evidence of these runs.

        Raises:
            RunUnknown: One of them left no plan; the sentence says where it was looked for.
        """
        with ThreadPoolExecutor(_READERS) as readers:
            runs = sorted(readers.map(self._run, dict.fromkeys(run_ids)), key=lambda run: run.plan.started_at)
            object_ids = _object_ids(runs)
            kept = [each for some in readers.map(self._receipts, object_ids) for each in some]
            # An object version has one manifest, and a receipt is what names its version.
            sources = {each.proof.object_id: each.proof.source for each in kept}
            manifests = [manifest for manifest in readers.map(self._manifest, sources.values()) if manifest]
            witnesses = {run.run_id: run.reconciliation for run in runs if run.reconciliation}
            earlier = sorted({each.measured.run_id for each in kept} - {run.run_id for run in runs})
            found = zip(earlier, readers.map(self._reconciliation, earlier), strict=True)
            witnesses |= {run_id: reconciliation for run_id, reconciliation in found if reconciliation}
        return Evidence(runs, witnesses, {manifest.object_id: manifest for manifest in manifests}, kept)

    def _run(self, run_id: str) -> RunRecord:
        plan = self._read(self._runs, run_key(run_id, "plan.json"), RunPlan)
        failure = self._read(self._runs, run_key(run_id, "failure.json"), FailureRecord)
        if plan is None and failure:
            raise RunUnknown(
                f"Run '{run_id}' failed in {failure.state} before it had a plan, so there is nothing to report: "
                f"{failure.error}: {failure.cause}"
            )
        if plan is None:
            raise RunUnknown(
                f"There is no run '{run_id}': s3://{self._runs.name}/{run_key(run_id, 'plan.json')} does not exist. "
                "A run's name is that of its execution; `gatehouse report` without a name takes all runs there are."
            )
        return RunRecord(
            plan=plan,
            reconciliation=self._reconciliation(run_id),
            summary=self._read(self._runs, run_key(run_id, "summary.json"), RunSummary),
            failure=failure,
        )

    def _reconciliation(self, run_id: str) -> Reconciliation | None:
        return self._read(self._runs, run_key(run_id, "reconciliation.json"), Reconciliation)

    def _manifest(self, source: SourceObject) -> Manifest | None:
        return self._read(self._lake, manifest_key(source_id(source)), Manifest)

    def _receipts(self, object_id: str) -> list[Receipt]:
        keys = [key for key, _ in self._runs.keys(receipt_key(object_id, 0).rpartition("/")[0])]
        found = (self._read(self._runs, key, Receipt) for key in keys)
        return [receipt for receipt in found if receipt]

    @staticmethod
    def _read(bucket: Bucket, key: str, kind: type[_Document]) -> _Document | None:
        body = bucket.get(key)
        return None if body is None else kind.model_validate_json(body)


def _object_ids(runs: Iterable[RunRecord]) -> list[str]:
    ids = (planned.object_id for run in runs for planned in run.plan.objects if planned.object_id)
    return list(dict.fromkeys(ids))
