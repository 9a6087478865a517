"""The runs bucket's documents of seals: what they found, what they are to do, what became of it."""

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from firewall_logs import locations
from firewall_logs.adapters.documents import JSON, READ, WRITE, json_of, read_document
from firewall_logs.days.contracts import (
    CompactionReceipt,
    CompactionUnit,
    DayBlocked,
    DayReconciliation,
    SealedDay,
    SealIntent,
    SealPlan,
)
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class SealPlanReader:
    """Reads what a seal is to do."""

    IAM: ClassVar = READ

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, seal_id: str) -> SealPlan | None:
        """Return the plan; None where the seal has none yet."""
        return read_document(self._bucket, locations.seal_key(seal_id, "plan.json"), SealPlan)


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

    def write(self, plan: SealPlan) -> None:
        """Write the units, one JSON document a line, and then the plan."""
        units = (
            CompactionUnit(seal_id=plan.seal_id, event_date=plan.event_date, index=index)
            for index in range(len(plan.cuts))
        )
        lines = b"".join(unit.model_dump_json().encode() + b"\n" for unit in units)
        self._bucket.put(self.units_key(plan.seal_id), lines, "application/x-ndjson")
        self._bucket.put(locations.seal_key(plan.seal_id, "plan.json"), json_of(plan), JSON)

    def units_key(self, seal_id: str) -> str:
        """Return the key of the units, which the Distributed Map reads."""
        return locations.seal_key(seal_id, "units.jsonl")


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
