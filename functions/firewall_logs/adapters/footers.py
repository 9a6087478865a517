"""Parquet footers by ranged GET, read with pyarrow: never with the library that writes the lake."""

import io
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from firewall_logs.adapters.access import SourceClients
from firewall_logs.contracts import LakeFile, SourceObject
from firewall_logs.days.contracts import Place, PlacedRowGroup
from firewall_logs.days.cutting import HOUR_SECONDS, Cell, Moment
from firewall_logs.days.reconciliation import EventsWitness, HourlyWitness
from firewall_logs.errors import FooterBroken, SourceChanged, SourceUnreadable
from firewall_logs.planning import Footer, RowGroup
from firewall_logs.reconciliation import LakeFooter
from kernel.objects import range_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Found = TypeVar("Found")

# One GET of this many bytes holds the whole footer of all but the widest files.
_TAIL: Final = 64 << 10
# A footer grows with columns times row groups; beyond this it is a broken length, not a footer.
_MOST: Final = 64 << 20
_MAGIC: Final = b"PAR1"
_TRAILER: Final = 8  # footer length and magic
_HOST: Final = "client_request_host"
_TIME: Final = "event_time"


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
        found = _unless_unreadable(lambda: self._tails.metadata(self._bucket, key))
        return None if found is None else _lake_footer(*found)

    def total(self, key: str, column: str) -> int:
        """Return the sum of an integer column of a file, which is read whole."""
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return pc.sum(pq.read_table(pa.BufferReader(body), columns=[column]).column(column)).as_py() or 0


class InputFooters:
    """What the inputs of a seal say of themselves, and of the places of their rows in the day."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._tails = _Tails(s3)

    def events(self, key: str) -> EventsWitness | None:
        """Return what a file of events says of itself; None where it is missing or no readable parquet."""
        found = _unless_unreadable(lambda: self._tails.metadata(self._bucket, key))
        if found is None:
            return None
        metadata, start = found
        footer = _lake_footer(metadata, start)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        return EventsWitness(
            footer=footer,
            start=start,
            row_groups=[_placed(group, footer.columns) for group in groups],
            encoded_bytes=sum(group.total_byte_size for group in groups),
        )

    def hourly(self, key: str) -> HourlyWitness | None:
        """Return what a file of hourly counts says; None where it is missing or no readable parquet."""
        body = _unless_unreadable(lambda: self._body(key))
        if body is None:
            return None
        try:
            file = pq.ParquetFile(pa.BufferReader(body))
            table = file.read(use_threads=False)
        except (pa.ArrowException, OSError):
            return None
        start = len(body) - file.metadata.serialized_size - _TRAILER
        return HourlyWitness(footer=_lake_footer(file.metadata, start), counts=_counts(table))

    def seconds(self, file: LakeFile, groups: Collection[int], cells: Collection[Cell]) -> dict[Moment, int]:
        """Count the events of some hours of hosts by second, from hosts and times themselves.

        Args:
            file: Of events of one day.
            groups: Numbers of the row groups that may have such events; of others nothing is read.
            cells: The hours.
        """
        metadata, _ = self._tails.metadata(self._bucket, file.key)
        day = file.event_date
        midnight = int(datetime.combine(day, time(), UTC).timestamp()) if day else 0
        counts: Counter[Moment] = Counter()
        source = pa.PythonFile(_Ranges(self._s3, self._bucket, file.key, file.bytes), mode="r")
        reader = pq.ParquetFile(source, metadata=metadata)
        for number in groups:
            table = reader.read_row_group(number, columns=[_HOST, _TIME], use_threads=False)
            hosts = table.column(_HOST)
            instants = table.column(_TIME).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
            seconds = pc.subtract(pc.divide(instants, 1_000_000), midnight)
            for host in {host for host, _ in cells}:
                mine = hosts.is_null() if host is None else pc.equal(hosts, host)
                for found in seconds.filter(mine).value_counts():
                    hour, second = divmod(found["values"].as_py(), HOUR_SECONDS)
                    if (host, hour) in cells:
                        counts[host, hour, second] += found["counts"].as_py()
        return dict(counts)

    def _body(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()


class _Ranges(io.RawIOBase):
    """An object as a file of which each read is a ranged GET: column chunks are read as a whole."""

    def __init__(self, s3: "S3Client", bucket: str, key: str, size: int) -> None:
        super().__init__()
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._size = size
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        after = self._size if size < 0 else min(self._at + size, self._size)
        if after <= self._at:
            return b""
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=f"bytes={self._at}-{after - 1}")
        content = b"".join(range_of(answer, self._at, after))
        self._at = after
        return content


def _unless_unreadable(read: Callable[[], Found]) -> Found | None:
    """Return what is read; None where the object is missing, or no readable parquet."""
    try:
        return read()
    except FooterBroken:
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404", "InvalidRange", "416"}:
            return None
        raise


def _lake_footer(metadata: pq.FileMetaData, start: int) -> LakeFooter:
    columns = tuple(metadata.schema.to_arrow_schema().names)
    low, high = _time_range(metadata, columns)
    return LakeFooter(
        rows=metadata.num_rows,
        bytes=start + metadata.serialized_size + _TRAILER,
        columns=columns,
        min_time=low,
        max_time=high,
    )


def _counts(table: pa.Table) -> list[tuple[str | None, int, int]]:
    """Return host, hour and events; none where a column is missing, which the footer tells as well."""
    columns = (_HOST, "event_hour", "events")
    if not set(columns) <= set(table.column_names):
        return []
    counts: Counter[Cell] = Counter()
    for host, hour, events in zip(*(table.column(name).to_pylist() for name in columns), strict=True):
        counts[host, hour] += events
    return [(host, hour, events) for (host, hour), events in counts.items()]


def _placed(group: pq.RowGroupMetaData, columns: tuple[str, ...]) -> PlacedRowGroup:
    plain = _row_group(group)
    return PlacedRowGroup(rows=plain.rows, start=plain.start, end=plain.end, **_places(group, columns))


def _places(group: pq.RowGroupMetaData, columns: tuple[str, ...]) -> dict[str, Place | None]:
    """Return between which hosts and seconds of a day all rows of a row group are, as far as its statistics say."""
    if not {_HOST, _TIME} <= set(columns):
        return {"low": None, "high": None}
    hosts, times = (group.column(columns.index(name)).statistics for name in (_HOST, _TIME))
    if hosts is None or times is None or not times.has_min_max or not hosts.has_null_count:
        return {"low": None, "high": None}
    if not hosts.has_min_max and hosts.null_count < group.num_rows:
        return {"low": None, "high": None}
    low, high = (hosts.min, hosts.max) if hosts.has_min_max else (None, None)
    return {
        "low": _place(None if hosts.null_count else low, _utc(times.min)),
        "high": _place(high, _utc(times.max)),
    }


def _place(host: str | None, moment: datetime) -> Place:
    return Place(host=host, hour=moment.hour, second=moment.minute * 60 + moment.second)


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
