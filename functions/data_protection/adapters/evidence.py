"""Chains of evidence in the bucket with Object Lock: each record is written once and never changed."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.errors import EvidenceBroken
from data_protection.remediation.evidence import FIRST, Event, Record
from kernel.errors import EffectConflict, ValidationError
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS: Final = 5
_ROOT: Final = "data_protection/evidence/"


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
        """Write the next record, unless the last one tells of the same already, and return the last hash.

        Of a step an event tells the same, whatever was seen with it. Several runs may be about one plan, and tell of
        the same event each: of a plan as a whole the content tells as well.

        Raises:
            EffectConflict: Others append to the chain all the time.
        """
        for _ in range(_ATTEMPTS):
            records = self.records()
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
            if records and self._is_told(records[-1], record):
                return records[-1].hash
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

    def _is_told(self, last: Record, record: Record) -> bool:
        if last.event != record.event:
            return False
        return bool(self._step) or _content(last) == _content(record)

    def _key(self, name: str) -> str:
        return f"{_folder(self._plan)}{_name_of(self._step)}/{name}"


def chains_of(s3: "S3Client", bucket: str, plan: str) -> dict[str, list[Record]]:
    """Return all chains of a plan, by the step that they are kept for; as EvidenceChain reads them.

    Raises:
        EvidenceBroken: Something else lies among the records.
    """
    chains = defaultdict[str, list[Record]](list)
    for key, record in _records(s3, bucket, _folder(plan)):
        kept_for = key.removeprefix(_folder(plan)).rpartition("/")[0]
        chains[_step(record.step, kept_for)].append(record)
    return dict(sorted(chains.items()))


def chain_of(s3: "S3Client", bucket: str, plan: str) -> list[Record]:
    """Return the chain of a plan as a whole, in order; for people (s3:ListBucket, s3:GetObject).

    Raises:
        EvidenceBroken: Something else lies among the records.
    """
    return [record for _, record in _records(s3, bucket, f"{_folder(plan)}{_name_of('')}/")]


def plans_with_evidence(s3: "S3Client", bucket: str, digits: str) -> list[str]:
    """Return the hashes, of which there is evidence, that begin with digits; for people (s3:ListBucket)."""
    evidence = Bucket(s3, bucket)
    return sorted({key.removeprefix(_ROOT).partition("/")[0] for key, _ in evidence.keys(f"{_ROOT}{digits}")})


def _records(s3: "S3Client", bucket: str, prefix: str) -> Iterator[tuple[str, Record]]:
    evidence = Bucket(s3, bucket)
    for key, _ in evidence.keys(prefix):
        try:
            yield key, Record.model_validate_json(evidence.get(key) or b"")
        except ValidationError:
            raise EvidenceBroken(f"s3://{bucket}/{key} is no record of evidence.") from None


def _folder(plan: str) -> str:
    return f"{_ROOT}{plan}/"


def _name_of(step: str) -> str:
    return step.replace("/", ".") or "plan"


def _step(told: str, kept_for: str) -> str:
    """Return the step that a record is kept for; the folder's name where the record tells of another one."""
    return told if _name_of(told) == kept_for else kept_for


def _content(record: Record) -> Any:
    """Return what a record tells as it is kept: plain JSON."""
    return record.model_dump(mode="json")["content"]
