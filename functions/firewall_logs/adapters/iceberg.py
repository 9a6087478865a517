"""The Iceberg table of events: each version of a sealed day is one commit, of files that are already in the lake.

pyiceberg's own retry of a commit does not look again for files that somebody added meanwhile (two committers that add
one file both succeed, and its rows are there twice), so it is switched off: here each attempt reads the table anew.
"""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import (
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from firewall_logs import schema
from firewall_logs.days.contracts import SealedDay
from firewall_logs.errors import LakeFileDamaged, TableBusy

if TYPE_CHECKING:
    from pyiceberg.table import Table

_TIME: Final = "event_time"
# The version that the table has of a day. A property and not only a snapshot's, which goes when snapshots expire.
_VERSION: Final = "gatehouse.version.{day}"
_ATTEMPTS: Final = 5
_PROPERTIES: Final = {
    "format-version": "2",
    "commit.retry.num-retries": "0",
    # The lake owns its data files: expiring snapshots must not delete them.
    "gc.enabled": "false",
    "write.parquet.compression-codec": "zstd",
}


class IcebergEvents:
    """The table, in whichever catalogue.

    Args:
        catalogue: Properties of pyiceberg's catalogue, such as `{"type": "glue"}`.
        table: Its name, with the database before it.
        root: What stands before the keys of the lake, such as `s3://lake`.
    """

    IAM: ClassVar = frozenset(
        {
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:CreateTable",
            "glue:UpdateTable",
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:ListBucket",
            "kms:Decrypt",
            "kms:GenerateDataKey",
        }
    )

    def __init__(self, catalogue: dict[str, str], table: str, root: str) -> None:
        self._catalogue: Catalog = load_catalog("gatehouse", **catalogue)
        self._name = table
        self._root = root

    def commit(self, sealed: SealedDay) -> bool:
        """Let the table have the files of a version of a day, instead of those it has of that day.

        Returns:
            False where it has this version or a later one already.

        Raises:
            LakeFileDamaged: A file's statistics do not say what the sealed day does.
            TableBusy: Others committed at each attempt.
        """
        self._require_statistics(sealed)
        for _ in range(_ATTEMPTS):
            table = self._table()
            if self.version(table, sealed.event_date) >= sealed.version:
                return False
            try:
                self._replace(table, sealed)
            except CommitFailedException:
                continue
            return True
        raise TableBusy(f"{self._name} was changed by others during each of {_ATTEMPTS} attempts to commit a day.")

    @staticmethod
    def version(table: "Table", day: date) -> int:
        """Return which version of a day the table has; 0 for none."""
        return int(table.properties.get(_VERSION.format(day=day), 0))

    def _replace(self, table: "Table", sealed: SealedDay) -> None:
        day = sealed.event_date
        said = {"gatehouse.day": day.isoformat(), "gatehouse.version": str(sealed.version)}
        start, end = _bounds(day)
        with table.transaction() as change:
            if self.version(table, day):
                # Whole partitions: this changes metadata only.
                of_day = f"{_TIME} >= '{start.isoformat()}' and {_TIME} < '{end.isoformat()}'"
                change.delete(of_day, snapshot_properties=said)
            if paths := self._paths(sealed):
                change.add_files(paths, snapshot_properties=said)
            change.set_properties({_VERSION.format(day=day): str(sealed.version)})

    def _require_statistics(self, sealed: SealedDay) -> None:
        """Refuse files whose partition pyiceberg would get wrong, as it takes it from the statistics of the footer."""
        start, end = _bounds(sealed.event_date)
        io = self._table().io
        files = [file for file in sealed.files if file.kind == "events" and file.rows]
        for path, file in zip(self._paths(sealed), files, strict=True):
            with io.new_input(path).open() as stream:
                footer = pq.read_metadata(stream)
            column = footer.schema.names.index(_TIME)
            groups = [footer.row_group(index).column(column).statistics for index in range(footer.num_row_groups)]
            if footer.num_rows != file.rows or not all(
                group is not None and group.has_min_max and start <= group.min and group.max < end for group in groups
            ):
                raise LakeFileDamaged(
                    f"The footer of {path} does not say that it has {file.rows} events of {sealed.event_date}: "
                    "restore it from the bucket's versions, or seal the day again."
                )

    def _paths(self, sealed: SealedDay) -> list[str]:
        return [f"{self._root}/{file.key}" for file in sealed.files if file.kind == "events" and file.rows]

    def _table(self) -> "Table":
        try:
            return self._catalogue.load_table(self._name)
        except NoSuchTableError:
            return self._created()

    def _created(self) -> "Table":
        shape = _schema()
        host, time = shape.find_field("client_request_host").field_id, shape.find_field(_TIME).field_id
        try:
            return self._catalogue.create_table(
                self._name,
                shape,
                location=f"{self._root}/firewall_logs/iceberg/{self._name.rpartition('.')[2]}",
                partition_spec=PartitionSpec(PartitionField(time, 1000, DayTransform(), "event_date")),
                sort_order=SortOrder(
                    SortField(host, IdentityTransform(), SortDirection.ASC, NullOrder.NULLS_FIRST),
                    SortField(time, IdentityTransform(), SortDirection.ASC, NullOrder.NULLS_FIRST),
                ),
                properties=_PROPERTIES,
            )
        except TableAlreadyExistsError:
            return self._catalogue.load_table(self._name)


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def _schema() -> Schema:
    """Return `schema.EVENTS` as Iceberg has it; elements of lists get their numbers after the columns."""
    plain: dict[schema.ColumnType, IcebergType] = {
        "string": StringType(),
        "int8": IntegerType(),
        "int16": IntegerType(),
        "int64": LongType(),
        "timestamp": TimestamptzType(),
    }
    elements: dict[schema.ColumnType, IcebergType] = {"list<string>": StringType(), "list<int64>": LongType()}
    fields: list[NestedField] = []
    after = len(schema.EVENTS)
    for number, (name, kind) in enumerate(schema.EVENTS.items(), start=1):
        found = plain.get(kind) or ListType(after + number, elements[kind], element_required=False)
        fields.append(NestedField(number, name, found, required=False))
    return Schema(*fields)
