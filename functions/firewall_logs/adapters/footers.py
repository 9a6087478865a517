"""Parquet footers by ranged GET, read with pyarrow: never with the library that writes the lake."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from firewall_logs.adapters.access import SourceClients
from firewall_logs.contracts import SourceObject
from firewall_logs.errors import FooterBroken, SourceChanged, SourceUnreadable
from firewall_logs.planning import Footer, RowGroup
from firewall_logs.reconciliation import LakeFooter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# One GET of this many bytes holds the whole footer of all but the widest files.
_TAIL: Final = 64 << 10
# A footer grows with columns times row groups; beyond this it is a broken length, not a footer.
_MOST: Final = 64 << 20
_MAGIC: Final = b"PAR1"
_TRAILER: Final = 8  # footer length and magic


class _Tails:
    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def metadata(self, bucket: str, key: str, **version: str) -> tuple[pq.FileMetaData, int]:
        """Return the footer and the offset of its first byte; raise FooterBroken."""
        tail, size = self._tail(bucket, key, _TAIL, version)
        if len(tail) < _TRAILER + len(_MAGIC) or not tail.endswith(_MAGIC):
            raise FooterBroken("no parquet magic at its end")
        length = int.from_bytes(tail[-_TRAILER:-4], "little") + _TRAILER
        if length > min(size - len(_MAGIC), _MOST):
            raise FooterBroken("its footer claims to be longer than the object, or than any footer")
        if length > len(tail):
            tail, size = self._tail(bucket, key, length, version)
        try:
            return pq.read_metadata(pa.BufferReader(tail)), size - length
        except (pa.ArrowException, OSError) as error:
            raise FooterBroken("its footer cannot be decoded") from error

    def _tail(self, bucket: str, key: str, length: int, version: dict[str, Any]) -> tuple[bytes, int]:
        answer = self._s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{length}", **version)
        # A server may answer a range with the whole object (RFC 9110 §14.2); some do when the object is shorter.
        _, _, size = answer.get("ContentRange", "").rpartition("/")
        return answer["Body"].read(), int(size or answer["ContentLength"])


class RawFooters:
    """Footers of raw parquet objects."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt"})

    def __init__(self, clients: SourceClients) -> None:
        self._clients = clients

    def read(self, source: SourceObject) -> Footer:
        """Return the row groups of a raw object.

        Raises:
            FooterBroken: It is no parquet, or its footer cannot be read.
            SourceChanged: The object is gone.
            SourceUnreadable: It is there, but not for us.
        """
        version = {"VersionId": source.version_id} if source.version_id else {}
        with self._clients.reading(source) as s3:
            metadata, start = _Tails(s3).metadata(source.bucket, source.key, **version)
        groups = tuple(_row_group(metadata.row_group(number)) for number in range(metadata.num_row_groups))
        if any(not 0 < group.start <= group.end <= start for group in groups):
            raise FooterBroken("its footer points outside the object")
        return Footer(groups, start)

    def rows(self, source: SourceObject) -> int | None:
        """Return how many rows a raw object has; None where it is gone by now, or cannot be read."""
        try:
            return self.read(source).rows
        except (FooterBroken, SourceChanged, SourceUnreadable):
            return None


class LakeFooters:
    """Footers, and where a comparison needs them values, of the lake's files."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._tails = _Tails(s3)

    def read(self, key: str) -> LakeFooter | None:
        """Return what the file says of itself; None where it is missing or no readable parquet."""
        try:
            metadata, start = self._tails.metadata(self._bucket, key)
        except FooterBroken:
            return None
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "InvalidRange", "416"}:
                return None
            raise
        columns = tuple(metadata.schema.to_arrow_schema().names)
        low, high = _time_range(metadata, columns)
        return LakeFooter(
            rows=metadata.num_rows,
            bytes=start + metadata.serialized_size + _TRAILER,
            columns=columns,
            min_time=low,
            max_time=high,
        )

    def histogram(self, key: str) -> dict[tuple[str | None, int], int]:
        """Return the events of an hourly file by host and hour."""
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        table = pq.read_table(pa.BufferReader(body), columns=["client_request_host", "event_hour", "events"])
        counts: Counter[tuple[str | None, int]] = Counter()
        for host, hour, events in zip(*(column.to_pylist() for column in table.columns), strict=True):
            counts[host, hour] += events
        return dict(counts)

    def total(self, key: str, column: str) -> int:
        """Return the sum of an integer column of a small file."""
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        values = pq.read_table(pa.BufferReader(body), columns=[column]).column(column)
        return int(sum(filter(None, values.to_pylist())))


def _row_group(group: pq.RowGroupMetaData) -> RowGroup:
    chunks = [group.column(number) for number in range(group.num_columns)]
    # A chunk begins with its dictionary page where it has one.
    starts = [
        chunk.dictionary_page_offset if chunk.dictionary_page_offset is not None else chunk.data_page_offset
        for chunk in chunks
    ]
    ends = [start + chunk.total_compressed_size for start, chunk in zip(starts, chunks, strict=True)]
    return RowGroup(group.num_rows, group.total_byte_size, min(starts, default=4), max(ends, default=4))


def _time_range(metadata: pq.FileMetaData, columns: tuple[str, ...]) -> tuple[datetime | None, datetime | None]:
    if "event_time" not in columns:
        return None, None
    position = columns.index("event_time")
    statistics = [metadata.row_group(n).column(position).statistics for n in range(metadata.num_row_groups)]
    if not statistics or any(s is None or not s.has_min_max for s in statistics):
        return None, None
    return min(_utc(s.min) for s in statistics), max(_utc(s.max) for s in statistics)


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
