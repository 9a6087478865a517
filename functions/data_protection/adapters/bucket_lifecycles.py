"""What a bucket says of itself: its lifecycle and its versioning."""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from data_protection.errors import ForecastInvalid

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class BucketLifecycles:
    """Reads lifecycles with the client of one account."""

    IAM: ClassVar = frozenset({"s3:GetLifecycleConfiguration", "s3:GetBucketVersioning"})

    def __init__(self, s3: "S3Client", account: str) -> None:
        self._s3 = s3
        self._account = account

    def lifecycle(self, bucket: str) -> dict[str, Any] | None:
        """Return the lifecycle as plain JSON; None where the bucket has none.

        Raises:
            ForecastInvalid: There is no such bucket in the account, or it may not be read.
        """
        try:
            answer = self._s3.get_bucket_lifecycle_configuration(Bucket=bucket, ExpectedBucketOwner=self._account)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
                return None
            raise _named(error, bucket) from error
        kept = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        plain: dict[str, Any] = json.loads(json.dumps(kept, default=lambda moment: moment.isoformat()))
        return plain

    def versioning(self, bucket: str) -> str:
        """Return `Enabled`, `Suspended`, or nothing for a bucket that never had versions.

        Raises:
            ForecastInvalid: There is no such bucket in the account, or it may not be read.
        """
        try:
            answer = self._s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=self._account)
        except ClientError as error:
            raise _named(error, bucket) from error
        return answer.get("Status", "")


def _named(error: ClientError, bucket: str) -> Exception:
    """Return an error that says what to do where asking again would not help."""
    code = error.response["Error"]["Code"]
    if code not in {"NoSuchBucket", "AccessDenied", "PermanentRedirect"}:
        return error
    return ForecastInvalid(
        f"S3 does not show the bucket {bucket} ({code}): look at its name, its account and its region, and whether the "
        "role that reads may see its lifecycle."
    )
