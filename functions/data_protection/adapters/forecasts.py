"""Plans, counts and reports of forecasts in the lake bucket."""

import gzip
from datetime import date
from typing import TYPE_CHECKING, ClassVar, TypeVar

from data_protection.errors import ForecastInvalid
from data_protection.lifecycle.contracts import Counted, ForecastPlan
from data_protection.locations import forecast_prefix
from kernel.contracts import Contract
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

C = TypeVar("C", bound=Contract)


class ForecastStore:
    """Keeps what belongs to one forecast; done again, the same inputs become the same objects.

    Args:
        s3: Client.
        bucket: The lake.
        run: Name of the execution.
        day: On which it began.
    """

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str, run: str, day: date) -> None:
        self._bucket = Bucket(s3, bucket)
        self.prefix = forecast_prefix(run, day)

    def write_plan(self, plan: ForecastPlan) -> None:
        """Keep the plan."""
        self._bucket.put(f"{self.prefix}plan.json", plan.model_dump_json().encode(), "application/json")

    def plan(self) -> ForecastPlan:
        """Return the plan.

        Raises:
            ForecastInvalid: There is none.
        """
        return ForecastPlan.model_validate_json(self._read("plan.json"))

    def write_counted(self, part: int, counted: Counted) -> None:
        """Keep what a part came to."""
        body = gzip.compress(counted.model_dump_json().encode(), mtime=0)
        self._bucket.put(f"{self.prefix}counted/{part:05}.json.gz", body, "application/gzip")

    def counted(self, part: int) -> Counted:
        """Return what a part came to.

        Raises:
            ForecastInvalid: It was not counted.
        """
        return Counted.model_validate_json(gzip.decompress(self._read(f"counted/{part:05}.json.gz")))

    def write_report(self, name: str, content: bytes, media_type: str) -> None:
        """Write a file of the report, whatever was there."""
        self._bucket.put(f"{self.prefix}{name}", content, media_type)

    def _read(self, name: str) -> bytes:
        body = self._bucket.get(f"{self.prefix}{name}")
        if body is None:
            raise ForecastInvalid(
                f"s3://{self._bucket.name}/{self.prefix}{name} is not there: start forecast_lifecycle from its first "
                "step."
            )
        return body
