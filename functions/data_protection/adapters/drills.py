"""Drills in the lake bucket: what was begun and what was found, each written once, and how far it is counted."""

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from data_protection.drills.contracts import Drill, DrillCount, DrillResult
from data_protection.errors import DrillRefused
from data_protection.locations import drill_prefix
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BEGUN: Final = "drill.json"
_FOUND: Final = "result.json"
_COUNTED: Final = "count.json"


class DrillStore:
    """Keeps one drill; of two attempts at a step, what the first one kept counts.

    Args:
        s3: Client.
        bucket: The lake.
        table: That is drilled.
        run: Name of the execution.
        day: On which it began.
    """

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str, table: str, run: str, day: date) -> None:
        self._bucket = Bucket(s3, bucket)
        self.prefix = drill_prefix(table, run, day)

    @property
    def found_key(self) -> str:
        """Key under which what was found is kept."""
        return f"{self.prefix}{_FOUND}"

    def find(self) -> Drill | None:
        """Return what was begun, or None."""
        body = self._bucket.get(f"{self.prefix}{_BEGUN}")
        return None if body is None else Drill.model_validate_json(body)

    def begun(self) -> Drill:
        """Return what was begun.

        Raises:
            DrillRefused: Nothing was.
        """
        drill = self.find()
        if drill is None:
            raise DrillRefused(f"s3://{self._bucket.name}/{self.prefix}{_BEGUN} is not there: no drill was begun.")
        return drill

    def keep(self, drill: Drill) -> Drill:
        """Keep what is begun, before it is; return what counts."""
        self._put(_BEGUN, drill.model_dump_json().encode())
        return self.find() or drill

    def found(self) -> DrillResult | None:
        """Return what was found, or None."""
        body = self._bucket.get(f"{self.prefix}{_FOUND}")
        return None if body is None else DrillResult.model_validate_json(body)

    def keep_found(self, found: DrillResult) -> DrillResult:
        """Keep what was found; return what counts."""
        self._put(_FOUND, found.model_dump_json(indent=1).encode())
        return self.found() or found

    def measured(self) -> DrillResult:
        """Return what was found.

        Raises:
            DrillRefused: Nothing was.
        """
        found = self.found()
        if found is None:
            raise DrillRefused(f"s3://{self._bucket.name}/{self.prefix}{_FOUND} is not there: nothing was measured.")
        return found

    def count(self) -> DrillCount | None:
        """Return how far the items are counted, or None."""
        body = self._bucket.get(f"{self.prefix}{_COUNTED}")
        return None if body is None else DrillCount.model_validate_json(body)

    def keep_count(self, count: DrillCount) -> None:
        """Keep how far the items are counted, whatever was there: each state is whole in itself."""
        self._bucket.put(f"{self.prefix}{_COUNTED}", count.model_dump_json(indent=1).encode(), "application/json")

    def _put(self, name: str, body: bytes) -> None:
        try:
            self._bucket.put_once(f"{self.prefix}{name}", body, "application/json")
        except EffectConflict:
            # Another attempt was first; what it kept is read by the caller.
            return
