"""Chains of evidence in the bucket with Object Lock: each record is written once and never changed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.remediation.evidence import FIRST, Event, Record
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS: Final = 5


class EvidenceChain:
    """The records of one step of a plan, or of a plan as a whole.

    Args:
        s3: The client.
        bucket: Of evidence.
        plan: Hash of the plan.
        step: Id of the step; empty for the plan as a whole.
        principal: Who acts, as AWS names the caller.
        controls: Published controls that the step's check stands for.
    """

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(
        self,
        s3: "S3Client",
        bucket: str,
        *,
        plan: str,
        step: str,
        principal: str,
        controls: dict[str, tuple[str, ...]],
    ) -> None:
        self._bucket = Bucket(s3, bucket)
        self._plan, self._step = plan, step
        self._principal, self._controls = principal, controls

    def records(self) -> list[Record]:
        """Return the chain as it is, in order."""
        prefix = self._key("")
        return [Record.model_validate_json(self._bucket.get(key) or b"") for key, _ in self._bucket.keys(prefix)]

    def append(self, event: Event, at: datetime, content: Any) -> str:
        """Write the next record, unless the last one tells of the same event already, and return the last hash.

        Raises:
            EffectConflict: Others append to the chain all the time.
        """
        for _ in range(_ATTEMPTS):
            records = self.records()
            if records and records[-1].event == event:
                return records[-1].hash
            record = Record(
                number=len(records),
                previous=records[-1].hash if records else FIRST,
                plan=self._plan,
                step=self._step,
                event=event,
                at=at,
                principal=self._principal,
                controls=self._controls,
                content=content,
            )
            try:
                self._bucket.put_once(
                    self._key(f"{record.number:04d}.json"),
                    record.model_dump_json(indent=1).encode(),
                    "application/json",
                )
            except EffectConflict:
                continue
            return record.hash
        raise EffectConflict(f"The chain of evidence {self._key('')} is written by several workers at once.")

    def _key(self, name: str) -> str:
        return f"data_protection/evidence/{self._plan}/{self._step.replace('/', '.') or 'plan'}/{name}"
