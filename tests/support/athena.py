"""The tables of a domain's stack for analysts, read by DuckDB the way Athena reads them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from local.paths import ROOT
from tests.support.templates import Json, Stack, load

BUCKET: Final = "lake"
SYMLINKS: Final = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
# https://docs.aws.amazon.com/athena/latest/ug/data-types.html
_DUCKDB: Final = {
    "string": "VARCHAR",
    "binary": "BLOB",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMP",
    "array<string>": "VARCHAR[]",
    "array<bigint>": "BIGINT[]",
    "array<struct<key:string,value:string>>": "STRUCT(key VARCHAR, value VARCHAR)[]",
    "boolean": "BOOLEAN",
}


@cache
def analytics(domain: str = "firewall_logs") -> Stack:
    """Return the stack."""
    return load(ROOT / f"stacks/{domain}_analytics.yaml", f"{domain.title().replace('_', '')}AnalyticsStack")


def tables(domain: str = "firewall_logs") -> dict[str, Json]:
    """Return TableInput of each table by its name."""
    inputs = [table["TableInput"] for table in analytics(domain).of_type("AWS::Glue::Table").values()]
    return {table["Name"]: table for table in inputs}


def columns(table: Json) -> dict[str, str]:
    """Return name and type of a table's columns, without its partition."""
    return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}


def queries(domain: str = "firewall_logs") -> dict[str, str]:
    """Return the text of each named query by its name."""
    found = analytics(domain).of_type("AWS::Athena::NamedQuery").values()
    return {query["Name"]: query["QueryString"] for query in found}


def attach(connection: DuckDBPyConnection, lake: Path) -> None:
    """Make a view of each table over a folder that stands for the lake bucket.

    Args:
        connection: Gets the views.
        lake: Files below it are named by their keys.
    """
    for name, table in tables().items():
        partition = table["PartitionKeys"][0]["Name"]
        wanted = columns(table)
        selected = ", ".join(f'CAST("{column}" AS {_DUCKDB[kind]}) AS "{column}"' for column, kind in wanted.items())
        parts = [
            f"SELECT {selected}, DATE '{day}' AS {partition} FROM read_parquet({[str(path) for path in paths]}, "  # noqa: S608
            "hive_partitioning = false)"
            for day, paths in _partitions(lake, table, partition)
        ]
        empty = ", ".join(f'NULL::{_DUCKDB[kind]} AS "{column}"' for column, kind in wanted.items())
        parts.append(f"SELECT {empty}, NULL::DATE AS {partition} WHERE false")
        connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(parts))


def asked_on(day: str, query: str) -> str:
    """Return a query as it reads on a day; DuckDB's clock cannot be set."""
    return re.sub(r"\bcurrent_date\b", f"DATE '{day}'", query)


def _partitions(lake: Path, table: Json, partition: str) -> Iterator[tuple[str, list[Path]]]:
    storage = table["StorageDescriptor"]
    location = _key(storage["Location"])
    for folder in sorted(lake.joinpath(location).glob(f"{partition}=*")):
        objects = sorted(path for path in folder.iterdir() if path.is_file())
        if storage["InputFormat"] == SYMLINKS:
            uris = [uri for path in objects for uri in path.read_text().splitlines()]
            objects = [lake / uri.removeprefix(f"s3://{BUCKET}/") for uri in uris]
        if objects:
            yield folder.name.partition("=")[2], objects


def _key(location: Any) -> str:
    return str(location["Fn::Sub"]).removeprefix("s3://${LakeBucketName}/")
