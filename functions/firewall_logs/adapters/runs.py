"""The runs bucket: plans, receipts and evidence."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from firewall_logs import locations
from firewall_logs.adapters.documents import JSON, READ, WRITE, json_of, read_document
from firewall_logs.contracts import (
    FailureRecord,
    ListedObject,
    ObjectRef,
    Receipt,
    Reconciliation,
    RunIntent,
    RunPlan,
    RunSummary,
    Unit,
)
from firewall_logs.errors import ListInvalid, PlanMissing, WorkMissing
from kernel.errors import EffectConflict, ValidationError
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class PlanReader:
    """Reads what a run was to do."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, run_id: str) -> RunPlan | None:
        """Return the plan; None where the run ended before it had one."""
        return read_document(self._bucket, locations.run_key(run_id, "plan.json"), RunPlan)

    def require(self, run_id: str, step: str) -> RunPlan:
        """Return the plan.

        Args:
            run_id: Of the run.
            step: Which cannot do without it.

        Raises:
            PlanMissing: There is none.
        """
        plan = self.read(run_id)
        if plan is None:
            raise PlanMissing(f"Run {run_id} has no plan.json: PlanRun comes before {step}.")
        return plan

    def intent(self, run_id: str) -> list[str]:
        """Return the objects that the run may hold; none where it ended before it claimed any."""
        intent = read_document(self._bucket, locations.run_key(run_id, "intent.json"), RunIntent)
        return intent.object_ids if intent else []


class Plans(PlanReader):
    """Writes what a run is to do: the intent before anything is claimed, `plan.json` last, as commit of the plan."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        super().__init__(s3, bucket)
        self.bucket = bucket

    def intend(self, run_id: str, object_ids: Iterable[str]) -> list[str]:
        """Note what the run is about to claim, beside what an earlier attempt at planning it noted; return it all."""
        noted = read_document(self._bucket, locations.run_key(run_id, "intent.json"), RunIntent)
        ids = dict.fromkeys([*(noted.object_ids if noted else []), *object_ids])
        intent = RunIntent(run_id=run_id, object_ids=list(ids))
        self._bucket.put(locations.run_key(run_id, "intent.json"), json_of(intent), JSON)
        return intent.object_ids

    def given_up(self, run_id: str) -> bool:
        """Return whether the run's failure was recorded: somebody stopped it."""
        return self._bucket.get(locations.run_key(run_id, "failure.json")) is not None

    def write(self, plan: RunPlan, units: Iterable[Unit], batch: Iterable[Unit] = ()) -> None:
        """Write the units for functions and those for Fargate, one JSON document a line, and then the plan."""
        for key, members in ((self.units_key(plan.run_id), units), (self.batch_key(plan.run_id), batch)):
            lines = b"".join(unit.model_dump_json(exclude_none=True).encode() + b"\n" for unit in members)
            self._bucket.put(key, lines, "application/x-ndjson")
        self._bucket.put(self.plan_key(plan.run_id), json_of(plan), JSON)

    def plan_key(self, run_id: str) -> str:
        """Return the key of the plan."""
        return locations.run_key(run_id, "plan.json")

    def units_key(self, run_id: str) -> str:
        """Return the key of the units for functions, which the Distributed Map reads."""
        return locations.run_key(run_id, "units.jsonl")

    def batch_key(self, run_id: str) -> str:
        """Return the key of the units for Fargate, which another Distributed Map reads."""
        return locations.run_key(run_id, "batch.jsonl")


class WorkLists:
    """Documents with one piece of work a line, of which a task on Fargate is told which one is its own."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def line(self, key: str, number: int) -> bytes:
        """Return a line, counted from 0.

        Raises:
            WorkMissing: There is no such document, or it is shorter.
        """
        lines = (self._bucket.get(key) or b"").splitlines()
        if number >= len(lines):
            raise WorkMissing(f"There is no line {number} in s3://{self._bucket.name}/{key}: nothing is to be done.")
        return lines[number]


class ObjectLists:
    """Lists of objects that runs are to process, as somebody else left them in the bucket."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, key: str) -> Iterator[ListedObject]:
        """Yield the objects of a list, one JSON document a line; blank lines are none.

        Raises:
            ListInvalid: It is not there, or a line of it names no object; the message says which.
        """
        body = self._bucket.get(key)
        if body is None:
            raise ListInvalid(f"There is no list s3://{self._bucket.name}/{key}: write it before the run is started.")
        for number, line in enumerate(body.splitlines(), start=1):
            if line.strip():
                yield self._object(line, key, number)

    def _object(self, line: bytes, key: str, number: int) -> ListedObject:
        try:
            return ListedObject.model_validate_json(line)
        except ValidationError as invalid:
            raise ListInvalid(
                f"Line {number} of the list s3://{self._bucket.name}/{key} names no object. {invalid} "
                'A line is {"bucket": "…", "key": "…", "version_id": "optional"}.'
            ) from None


class RunOutcomes:
    """Reads how runs ended."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def summary(self, run_id: str) -> RunSummary | None:
        """Return the result of a run; None where it did not come as far as its commit."""
        return read_document(self._bucket, locations.run_key(run_id, "summary.json"), RunSummary)

    def failure(self, run_id: str) -> FailureRecord | None:
        """Return why a run failed, if it did and that is recorded."""
        return read_document(self._bucket, locations.run_key(run_id, "failure.json"), FailureRecord)


class ReceiptReader:
    """Reads receipts of slices."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, object_id: str, index: int) -> Receipt | None:
        """Return the receipt of a slice, if it was ever finished."""
        return read_document(self._bucket, locations.receipt_key(object_id, index), Receipt)


class ReceiptBook(ReceiptReader):
    """Writes receipts, and reads them of slices."""

    IAM: ClassVar = READ | WRITE

    def write(self, receipt: Receipt) -> None:
        """Write the receipt of a slice unless another attempt at it was faster.

        Raises:
            EffectConflict: The other attempt proves something else.
        """
        proof = receipt.proof
        try:
            self._bucket.put_once(locations.receipt_key(proof.object_id, proof.index), json_of(receipt), JSON)
        except EffectConflict:
            # Receipts of two attempts differ in what was measured, never in what they prove.
            other = self.read(proof.object_id, proof.index)
            if other is None or other.proof != proof:
                raise


class ListWriter:
    """Writes lists of objects that runs are to process."""

    IAM: ClassVar = WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, name: str, number: int, refs: Iterable[ObjectRef]) -> str:
        """Write a list and return its key."""
        key = locations.list_key(name, number)
        lines = b"".join(ref.model_dump_json(exclude_none=True).encode() + b"\n" for ref in refs)
        self._bucket.put(key, lines, "application/x-ndjson")
        return key


class Evidence:
    """Writes and reads what a run found out about itself."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write_reconciliation(self, found: Reconciliation) -> None:
        """Write the verdict."""
        self._bucket.put(locations.run_key(found.run_id, "reconciliation.json"), json_of(found), JSON)

    def read_reconciliation(self, run_id: str) -> Reconciliation:
        """Return the verdict, which the step before wrote."""
        found = read_document(self._bucket, locations.run_key(run_id, "reconciliation.json"), Reconciliation)
        if found is None:
            raise LookupError(f"Run {run_id} has no reconciliation.json: ReconcileRun comes before CommitRun.")
        return found

    def write_summary(self, summary: RunSummary) -> str:
        """Write the result of a run and return its key."""
        key = locations.run_key(summary.run_id, "summary.json")
        self._bucket.put(key, json_of(summary), JSON)
        return key

    def read_failure(self, run_id: str) -> FailureRecord | None:
        """Return why a run failed, if that is recorded."""
        return read_document(self._bucket, locations.run_key(run_id, "failure.json"), FailureRecord)

    def write_failure(self, record: FailureRecord) -> None:
        """Write why a run failed; where two accounts race, the first stands."""
        with suppress(EffectConflict):
            self._bucket.put_once(locations.run_key(record.run_id, "failure.json"), json_of(record), JSON)
