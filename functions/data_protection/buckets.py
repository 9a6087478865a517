"""What the checks of buckets have in common."""

from typing import Any

from data_protection.changes import Call
from data_protection.resources import Resource


def bucket_call(bucket: Resource, operation: str, **parameters: Any) -> Call:
    """Return a call of S3 about a bucket, which refuses one of that name in another account."""
    return Call(
        service="s3",
        operation=operation,
        parameters={"Bucket": bucket.name, "ExpectedBucketOwner": bucket.place.account, **parameters},
    )


def words(items: list[str]) -> str:
    """Return a list as people write it."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
