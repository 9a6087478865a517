"""The objects of a bucket: from its inventory's files, or listed."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from data_protection.errors import ForecastInvalid
from data_protection.lifecycle.histogram import OBJECTS
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client

_METRIC_DAYS: Final = 3  # NumberOfObjects comes once a day, with a delay


class InventoryFiles:
    """Reads the files of S3 inventories.

    Args:
        s3: Client.
        bucket: Where an inventory is delivered.
    """

    IAM: ClassVar = frozenset({"s3:GetObject", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def manifest(self, key: str) -> dict[str, Any]:
        """Return the manifest of an inventory.

        Raises:
            ForecastInvalid: There is none, or it is no manifest.
        """
        try:
            found = json.loads(self._read(key))
        except ValueError as error:
            raise ForecastInvalid(f"s3://{self._bucket.name}/{key} is no manifest of an inventory: {error}.") from error
        if not isinstance(found, dict):
            raise ForecastInvalid(f"s3://{self._bucket.name}/{key} is no manifest of an inventory.")
        return found

    def objects(self, key: str) -> pl.DataFrame:
        """Return the objects of one parquet file, with columns of OBJECTS.

        Raises:
            ForecastInvalid: The file is gone, or lacks a column that a forecast needs.
        """
        file = io.BytesIO(self._read(key))
        columns = pl.read_parquet_schema(file)
        needed = ["key", "size", "last_modified_date", "storage_class"]
        if lacking := [name for name in needed if name not in columns]:
            raise ForecastInvalid(
                f"The inventory lacks {', '.join(lacking)}: add Size, LastModifiedDate and StorageClass to its "
                "configuration, and wait for the next one."
            )
        frame = pl.read_parquet(file, columns=[name for name in OBJECTS if name in columns])
        # An inventory of current versions alone has neither column.
        present = [
            pl.col(name) if name in frame.columns else pl.lit(value).alias(name)
            for name, value in (("is_latest", True), ("is_delete_marker", False))
        ]
        times = pl.col("last_modified_date").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
        if getattr(frame.schema["last_modified_date"], "time_zone", None):
            times = pl.col("last_modified_date").cast(pl.Datetime("ms", "UTC"))
        return frame.select("key", pl.col("size").fill_null(0), times, "storage_class", *present).cast(OBJECTS)

    def _read(self, key: str) -> bytes:
        body = self._bucket.get(key)
        if body is None:
            raise ForecastInvalid(
                f"s3://{self._bucket.name}/{key} is not there: give the manifest.json of an inventory that still is."
            )
        return body


class Listing:
    """Lists a bucket with the clients of its account.

    Args:
        s3: Client.
        cloudwatch: Client, in the bucket's region.
        bucket: Its name.
        account: Of it.
        versions: Whether to list noncurrent versions as well.
    """

    IAM: ClassVar = frozenset({"s3:ListBucket", "s3:ListBucketVersions", "cloudwatch:GetMetricStatistics"})

    def __init__(
        self, s3: "S3Client", cloudwatch: "CloudWatchClient", bucket: str, account: str, *, versions: bool
    ) -> None:
        self._s3 = s3
        self._cloudwatch = cloudwatch
        self._where: dict[str, Any] = {"Bucket": bucket, "ExpectedBucketOwner": account}
        self._versions = versions

    def pages(self, prefix: str) -> Iterator[pl.DataFrame]:
        """Yield the objects below a prefix in order of their keys, some at a time, with columns of OBJECTS."""
        operation = "list_object_versions" if self._versions else "list_objects_v2"
        for page in self._s3.get_paginator(operation).paginate(**self._where, Prefix=prefix):  # type: ignore[call-overload]
            listed = page.get("Versions" if self._versions else "Contents", [])
            rows = [_row(entry, is_marker=False) for entry in listed]
            rows += [_row(entry, is_marker=True) for entry in page.get("DeleteMarkers", [])]
            yield pl.DataFrame(rows, schema=OBJECTS, orient="row")

    def folders(self, prefix: str) -> list[str]:
        """Return the prefixes below a prefix that end by the next slash; the first thousand keys' and prefixes'."""
        answer = self._s3.list_objects_v2(**self._where, Prefix=prefix, Delimiter="/")
        return [common["Prefix"] for common in answer.get("CommonPrefixes", [])]

    def number(self, now: datetime) -> float | None:
        """Return how many objects, with versions, CloudWatch counted last; None where it did not."""
        answer = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/S3",
            MetricName="NumberOfObjects",
            Dimensions=[
                {"Name": "BucketName", "Value": self._where["Bucket"]},
                {"Name": "StorageType", "Value": "AllStorageTypes"},
            ],
            StartTime=now - timedelta(days=_METRIC_DAYS),
            EndTime=now,
            Period=86400,
            Statistics=["Average"],
        )
        points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
        return points[-1]["Average"] if points else None


def _row(entry: Any, *, is_marker: bool) -> tuple[str, int, datetime, str, bool, bool]:
    return (
        entry["Key"],
        entry.get("Size", 0),
        entry["LastModified"].astimezone(UTC),
        entry.get("StorageClass", "STANDARD"),
        entry.get("IsLatest", True),
        is_marker,
    )
