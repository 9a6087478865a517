"""The runs bucket: plans, receipts and evidence."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, TypeVar

from pydantic import BaseModel

from firewall_logs import locations
from firewall_logs.contracts import FailureRecord, Receipt, Reconciliation, RunIntent, RunPlan, RunSummary, Unit
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Document = TypeVar("Document", bound=BaseModel)

_JSON = "application/json"
_READ = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})
_WRITE = frozenset({"s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"})


class PlanReader:
    """Reads what a run was to do."""

    IAM: ClassVar = _READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, run_id: str) -> RunPlan | None:
        """Return the plan; None where the run ended before it had one."""
        return _read(self._bucket, locations.run_key(run_id, "plan.json"), RunPlan)

    def intent(self, run_id: str) -> list[str]:
        """Return the objects that the run may hold; none where it ended before it claimed any."""
        intent = _read(self._bucket, locations.run_key(run_id, "intent.json"), RunIntent)
        return intent.object_ids if intent else []


class Plans(PlanReader):
    """Writes what a run is to do: the intent before anything is claimed, `plan.json` last, as commit of the plan."""

    IAM: ClassVar = _READ | _WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        super().__init__(s3, bucket)
        self.bucket = bucket

    def intend(self, run_id: str, object_ids: Iterable[str]) -> list[str]:
        """Note what the run is about to claim, beside what an earlier attempt at planning it noted; return it all."""
        noted = _read(self._bucket, locations.run_key(run_id, "intent.json"), RunIntent)
        ids = dict.fromkeys([*(noted.object_ids if noted else []), *object_ids])
        intent = RunIntent(run_id=run_id, object_ids=list(ids))
        self._bucket.put(locations.run_key(run_id, "intent.json"), _body(intent), _JSON)
        return intent.object_ids

    def given_up(self, run_id: str) -> bool:
        """Return whether the run's failure was recorded: somebody stopped it."""
        return self._bucket.get(locations.run_key(run_id, "failure.json")) is not None

    def write(self, plan: RunPlan, units: Iterable[Unit]) -> None:
        """Write the units, one JSON document a line, and then the plan."""
        lines = b"".join(unit.model_dump_json(exclude_none=True).encode() + b"\n" for unit in units)
        self._bucket.put(self.units_key(plan.run_id), lines, "application/x-ndjson")
        self._bucket.put(self.plan_key(plan.run_id), _body(plan), _JSON)

    def plan_key(self, run_id: str) -> str:
        """Return the key of the plan."""
        return locations.run_key(run_id, "plan.json")

    def units_key(self, run_id: str) -> str:
        """Return the key of the units, which the Distributed Map reads."""
        return locations.run_key(run_id, "units.jsonl")


class ReceiptReader:
    """Reads receipts of slices."""

    IAM: ClassVar = _READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, object_id: str, index: int) -> Receipt | None:
        """Return the receipt of a slice, if it was ever finished."""
        return _read(self._bucket, locations.receipt_key(object_id, index), Receipt)


class ReceiptBook(ReceiptReader):
    """Writes receipts, and reads them of slices."""

    IAM: ClassVar = _READ | _WRITE

    def write(self, receipt: Receipt) -> None:
        """Write the receipt of a slice unless another attempt at it was faster.

        Raises:
            EffectConflict: The other attempt proves something else.
        """
        proof = receipt.proof
        try:
            self._bucket.put_once(locations.receipt_key(proof.object_id, proof.index), _body(receipt), _JSON)
        except EffectConflict:
            # Receipts of two attempts differ in what was measured, never in what they prove.
            other = self.read(proof.object_id, proof.index)
            if other is None or other.proof != proof:
                raise


class Evidence:
    """Writes and reads what a run found out about itself."""

    IAM: ClassVar = _READ | _WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write_reconciliation(self, found: Reconciliation) -> None:
        """Write the verdict."""
        self._bucket.put(locations.run_key(found.run_id, "reconciliation.json"), _body(found), _JSON)

    def read_reconciliation(self, run_id: str) -> Reconciliation:
        """Return the verdict, which the step before wrote."""
        found = _read(self._bucket, locations.run_key(run_id, "reconciliation.json"), Reconciliation)
        if found is None:
            raise LookupError(f"Run {run_id} has no reconciliation.json: ReconcileRun comes before CommitRun.")
        return found

    def write_summary(self, summary: RunSummary) -> str:
        """Write the result of a run and return its key."""
        key = locations.run_key(summary.run_id, "summary.json")
        self._bucket.put(key, _body(summary), _JSON)
        return key

    def read_failure(self, run_id: str) -> FailureRecord | None:
        """Return why a run failed, if that is recorded."""
        return _read(self._bucket, locations.run_key(run_id, "failure.json"), FailureRecord)

    def write_failure(self, record: FailureRecord) -> None:
        """Write why a run failed; where two accounts race, the first stands."""
        with suppress(EffectConflict):
            self._bucket.put_once(locations.run_key(record.run_id, "failure.json"), _body(record), _JSON)


def _body(document: BaseModel) -> bytes:
    return document.model_dump_json(indent=1).encode()


def _read(bucket: Bucket, key: str, model: type[Document]) -> Document | None:
    body = bucket.get(key)
    return None if body is None else model.model_validate_json(body)
