"""What Athena, `gatehouse query` and the documents believe about database logs is what the parsers write."""

from datetime import date

import polars as pl
import pytest

from cli import query_tables
from database_logs.locations import records_key
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import SCHEMAS
from tests.docs import COLUMNS, columns_page
from tests.support.athena import columns, tables
from tests.support.templates import Json

# https://docs.aws.amazon.com/athena/latest/ug/data-types.html
ATHENA: dict[pl.DataType, str] = {
    pl.String(): "string",
    pl.Binary(): "binary",
    pl.Boolean(): "boolean",
    pl.Int32(): "int",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Datetime("us", "UTC"): "timestamp",
    pl.List(pl.String()): "array<string>",
    pl.List(pl.Struct({"key": pl.String(), "value": pl.String()})): "array<struct<key:string,value:string>>",
}
DAY = date(2026, 6, 1)
KINDS = [(name, log_type) for name, kinds in query_tables.DATABASE_LOGS.items() for log_type in kinds]


def _found(name: str) -> Json:
    return tables("database_logs")[name]


def _partitions(name: str) -> dict[str, str]:
    return {key["Name"]: key["Type"] for key in _found(name)["PartitionKeys"]}


def test_every_kind_of_log_has_its_table() -> None:
    assert tables("database_logs").keys() == query_tables.DATABASE_LOGS.keys()
    assert sorted(log_type for _, log_type in KINDS) == sorted(LogType)


@pytest.mark.parametrize(("name", "log_type"), KINDS)
def test_columns_are_those_of_the_parser(name: str, log_type: LogType) -> None:
    # A table cannot have a column that is one of its partitions as well.
    written = {column: ATHENA[kind] for column, kind in SCHEMAS[log_type].items() if column not in _partitions(name)}

    assert columns(_found(name)) == written


@pytest.mark.parametrize(("name", "log_type"), KINDS)
def test_a_partition_is_where_the_lake_puts_its_day(name: str, log_type: LogType) -> None:
    table = _found(name)
    values = {"log_type": log_type.value, "event_date": DAY.isoformat()}
    folders = "".join(f"{key}={values[key]}/" for key in _partitions(name))
    location = table["StorageDescriptor"]["Location"]["Fn::Sub"].removeprefix("s3://${LakeBucketName}/")

    assert records_key(log_type, DAY, "segment").startswith(f"{location}{folders}")
    assert _partitions(name)["event_date"] == table["Parameters"]["projection.event_date.type"] == "date"


@pytest.mark.parametrize("name", query_tables.DATABASE_LOGS)
def test_a_table_of_several_kinds_knows_just_these(name: str) -> None:
    kinds = query_tables.DATABASE_LOGS[name]
    known = _found(name)["Parameters"].get("projection.log_type.values")

    assert known == (",".join(kinds) if len(kinds) > 1 else None)


def test_every_column_says_what_it_means() -> None:
    described = {
        (name, column["Name"]): column.get("Comment", "")
        for name, table in tables("database_logs").items()
        for column in (*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"])
    }

    # https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
    assert {place: text for place, text in described.items() if not 0 < len(text) < 256} == {}


def test_the_page_of_columns_is_that_of_the_tables() -> None:
    assert COLUMNS.read_text() == columns_page(), "docs/database_logs_columns.md is behind: python -m tests.docs"
