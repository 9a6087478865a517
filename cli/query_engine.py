"""DuckDB over files of the lake on this machine."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from firewall_logs import schema

if TYPE_CHECKING:
    from types import TracebackType

    from duckdb import DuckDBPyConnection

TABLES: Final = ("events", "hourly", "quarantine", "quality")
_TYPES: Final[dict[str, str]] = {
    "string": "VARCHAR",
    "binary": "BLOB",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int64": "BIGINT",
    "timestamp": "TIMESTAMPTZ",
    "list<string>": "VARCHAR[]",
    "list<int64>": "BIGINT[]",
}
_QUALITY: Final = (
    "version BIGINT, feed VARCHAR, rule VARCHAR, measure VARCHAR, level VARCHAR, figure DOUBLE, "
    '"limit" DOUBLE, detail VARCHAR'
)
_BATCH: Final = 10_000


class QueryRefused(ValueError):
    """DuckDB does not take the query; the text says where."""


class Engine:
    """A database of views that lives as long as one query."""

    def __init__(self) -> None:
        import duckdb  # noqa: PLC0415 - heavy, and `gatehouse --help` does not need it

        self._errors = duckdb.Error
        # Nothing is fetched from the network behind anybody's back: what the wheel has is what there is.
        self._connection: DuckDBPyConnection = duckdb.connect(
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        self._connection.execute("SET TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._connection.close()

    def read(self, sql: str) -> "Question":
        """Return the one question that a text holds.

        Raises:
            QueryRefused: It is no SQL, or not one statement that gives rows.
        """
        try:
            statements = self._connection.extract_statements(sql)
            asking = [each.query for each in statements if self._gives_rows(each)]
            if len(statements) != 1 or not asking:
                raise QueryRefused("Ask one question that gives rows: one SELECT, DESCRIBE or SUMMARIZE.")
            [text] = asking
            named = {name.lower() for name in self._connection.get_table_names(text)}
        except self._errors as refused:
            raise QueryRefused(_sentence(refused)) from None
        return Question(text.strip().rstrip(";"), [table for table in TABLES if table in named])

    def attach(self, table: str, paths: list[Path]) -> None:
        """Make a view of a table over its files; where there are none, an empty table."""
        if not paths:
            self._connection.execute(f"CREATE TABLE {table} ({_shape(table)})")
            return
        names = [str(path) for path in paths]
        partition = _partition(table)
        files = self._connection.read_parquet(names, hive_partitioning=True)
        # Everything in the lake is UTC; a zone in the type would only make Python ask for a time zone database.
        columns = "*" if table != "events" else "* REPLACE (event_time AT TIME ZONE 'UTC' AS event_time)"
        files.select(f"{columns}").create_view(f"{table}_files")
        self._connection.execute(
            f"CREATE VIEW {table} AS SELECT * REPLACE ({partition}::DATE AS {partition}) FROM {table}_files"  # noqa: S608
        )

    def ask(self, question: "Question") -> "Answer":
        """Return the answer to a question.

        Raises:
            QueryRefused: A table or column does not exist, or a value cannot be computed.
        """
        try:
            self._connection.execute(question.text)
        except self._errors as refused:
            raise QueryRefused(_sentence(refused)) from None
        return Answer([column[0] for column in self._connection.description or []], self._rows())

    def write_parquet(self, question: "Question", path: Path) -> None:
        """Write the answer to a question as a parquet file.

        Raises:
            QueryRefused: As `ask`.
        """
        target = str(path).replace("'", "''")
        try:
            self._connection.execute(f"COPY ({question.text}\n) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        except self._errors as refused:
            raise QueryRefused(_sentence(refused)) from None

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        while batch := self._connection.fetchmany(_BATCH):
            yield from batch

    @staticmethod
    def _gives_rows(statement: Any) -> bool:
        return [result.name for result in statement.expected_result_type] == ["QUERY_RESULT"]


@dataclass(frozen=True)
class Question:
    """One statement, and which of our tables it reads."""

    text: str
    tables: list[str]


@dataclass(frozen=True)
class Answer:
    """Rows that can be read once."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]

    def write_csv(self, out: IO[str]) -> None:
        """Write a header and rows as RFC 4180 says, but for line feeds alone."""
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)

    def write_json(self, out: IO[str]) -> None:
        """Write one JSON object a line."""
        for row in self.rows:
            out.write(json.dumps(dict(zip(self.columns, row, strict=True)), default=_plain, ensure_ascii=False) + "\n")


def _shape(table: str) -> str:
    if table == "quality":
        return f"{_QUALITY}, event_date DATE"
    columns = ", ".join(
        f'"{name}" {"TIMESTAMP" if kind == "timestamp" else _TYPES[kind]}'
        for name, kind in schema.TABLES[table].items()
    )
    return f"{columns}, {_partition(table)} DATE"


def _partition(table: str) -> str:
    return "object_date" if table == "quarantine" else "event_date"


def _sentence(refused: Exception) -> str:
    return f"DuckDB refuses the query. {refused}"


def _plain(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
