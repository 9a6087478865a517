"""What moto's S3 does not say and AWS does: in which region each bucket of a list is."""

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

_list = S3Response.all_buckets


def _list_with_regions(self: S3Response) -> Any:
    serialized = self.serialized

    def with_regions(action_result: ActionResult) -> Any:
        for bucket in cast("dict[str, Any]", action_result.result)["Buckets"]:
            bucket["BucketRegion"] = self.backend.head_bucket(bucket["Name"]).region_name
        return serialized(action_result)

    self.serialized = with_regions  # type: ignore[method-assign]
    return _list(self)


def say_where_buckets_are() -> None:
    """Have ListBuckets answer as https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html says."""
    S3Response.all_buckets = _list_with_regions  # type: ignore[method-assign]
