"""The runs bucket's documents of seals: what they found, what they are to do, what became of it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from firewall_logs import locations
from firewall_logs.adapters.documents import JSON, LINES, READ, WRITE, json_of, lines_of, read_document
from firewall_logs.days.contracts import (
    CompactionReceipt,
    DayBlocked,
    DayReconciliation,
    PlannedInput,
    SealedDay,
    SealIntent,
    SealPlan,
    SurveyUnit,
)
from firewall_logs.days.reconciliation import Evidence
from kernel.contracts import Contract
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from firewall_logs.days.planning import Planned


class SealPlanReader:
    """Reads what a seal is to do."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, seal_id: str) -> SealPlan | None:
        """Return the plan; None where the seal has none yet."""
        return read_document(self._bucket, locations.seal_key(seal_id, "plan.json"), SealPlan)

    def inputs(self, seal_id: str) -> Iterator[PlannedInput] | None:
        """Return the input files of events in the order of the plan; None where the seal has no plan yet."""
        body = self._bucket.get(locations.seal_key(seal_id, "inputs.jsonl"))
        return None if body is None else map(PlannedInput.model_validate_json, body.splitlines())


class CompactionReceiptReader:
    """Reads receipts of cuts."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, seal_id: str, index: int) -> CompactionReceipt | None:
        """Return the receipt of a cut, if it was ever finished for this seal."""
        return read_document(self._bucket, locations.compaction_key(seal_id, index), CompactionReceipt)


class CompactionReceiptBook(CompactionReceiptReader):
    """Writes receipts of cuts, and reads them."""

    IAM: ClassVar = READ | WRITE

    def write(self, receipt: CompactionReceipt) -> None:
        """Write the receipt of a cut unless another attempt at it was faster.

        Raises:
            EffectConflict: The other attempt proves something else.
        """
        seal_id, proof = receipt.measured.seal_id, receipt.proof
        try:
            self._bucket.put_once(locations.compaction_key(seal_id, proof.index), json_of(receipt), JSON)
        except EffectConflict:
            # Receipts of two attempts differ in what was measured, never in what they prove.
            other = self.read(seal_id, proof.index)
            if other is None or other.proof != proof:
                raise


class SealPlans(SealPlanReader):
    """Writes what a seal found out about its day, and what it is to do."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        super().__init__(s3, bucket)
        self.bucket = bucket

    def write_reconciliation(self, found: DayReconciliation) -> None:
        """Write the verdict."""
        self._bucket.put(locations.seal_key(found.seal_id, "reconciliation.json"), json_of(found), JSON)

    def write(self, planned: "Planned") -> None:
        """Write the lists, one JSON document a line, and then the plan."""
        seal_id = planned.plan.seal_id
        self._write_lines(locations.seal_key(seal_id, "inputs.jsonl"), planned.inputs)
        self._write_lines(self.units_key(seal_id), planned.units)
        self._write_lines(self.batch_key(seal_id), planned.tasks)
        self._bucket.put(locations.seal_key(seal_id, "plan.json"), json_of(planned.plan), JSON)

    def units_key(self, seal_id: str) -> str:
        """Return the key of the units for functions, which a Distributed Map reads."""
        return locations.seal_key(seal_id, "units.jsonl")

    def batch_key(self, seal_id: str) -> str:
        """Return the key of the work for tasks, which another one reads."""
        return locations.seal_key(seal_id, "batch.jsonl")

    def _write_lines(self, key: str, documents: Iterable[Contract]) -> None:
        self._bucket.put(key, lines_of(documents), LINES)


class SurveyReader:
    """Reads surveys of a day's objects."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, seal_id: str, part: int) -> Iterator[Evidence]:
        """Yield what a part of the survey found; nothing where it is missing."""
        body = self._bucket.get(_survey_key(seal_id, part)) or b""
        yield from map(Evidence.model_validate_json, body.splitlines())


class SurveyBook:
    """Writes surveys of a day's objects."""

    IAM: ClassVar = WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, unit: SurveyUnit, found: Iterable[Evidence]) -> None:
        """Write what a part of the survey found, one JSON document a line."""
        self._bucket.put(_survey_key(unit.seal_id, unit.part), lines_of(found), LINES)


def _survey_key(seal_id: str, part: int) -> str:
    return locations.seal_key(seal_id, f"surveys/{part:05d}.jsonl")


class SealIntents:
    """Notes which day a seal is about to take."""

    IAM: ClassVar = WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, intent: SealIntent) -> None:
        """Write the intent."""
        self._bucket.put(locations.seal_key(intent.seal_id, "intent.json"), json_of(intent), JSON)


class CandidateReader:
    """Reads the version that a seal is about to commit."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, seal_id: str, version: int) -> SealedDay | None:
        """Return the candidate; None where the seal has none of this version."""
        found = read_document(self._bucket, locations.seal_key(seal_id, "candidate.json"), SealedDay)
        return found if found is not None and found.version == version else None


class SealCandidates:
    """Writes the version that a seal is about to commit."""

    IAM: ClassVar = WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, candidate: SealedDay) -> None:
        """Write the candidate."""
        self._bucket.put(locations.seal_key(candidate.seal_id, "candidate.json"), json_of(candidate), JSON)


class SealFailures:
    """Writes and reads why a seal failed, and which day it may hold."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def intent(self, seal_id: str) -> SealIntent | None:
        """Return what the seal was about to take; None where it ended before that."""
        return read_document(self._bucket, locations.seal_key(seal_id, "intent.json"), SealIntent)

    def read(self, seal_id: str) -> DayBlocked | None:
        """Return why a seal failed, if that is recorded."""
        return read_document(self._bucket, locations.seal_key(seal_id, "blocked.json"), DayBlocked)

    def write(self, record: DayBlocked) -> None:
        """Write why a seal failed; where two accounts race, the first stands."""
        with suppress(EffectConflict):
            self._bucket.put_once(locations.seal_key(record.seal_id, "blocked.json"), json_of(record), JSON)
