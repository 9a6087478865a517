"""DuckDB over files of the lake on this machine."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from cli.query_tables import TABLES, columns, partition

if TYPE_CHECKING:
    from types import TracebackType

    from duckdb import DuckDBPyConnection

_BATCH: Final = 10_000
_NO_TABLE: Final = "Table with name"
_PROPOSAL: Final = re.compile(r"\nDid you mean .*\n")


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
        date = partition(table)
        if not paths:
            shape = ", ".join(f'"{name}" {kind}' for name, kind in {**columns(table), date: "DATE"}.items())
            self._connection.execute(f"CREATE TABLE {table} ({shape})")
            return
        # Files of several versions may lie side by side.
        files = self._connection.read_parquet([str(path) for path in paths], hive_partitioning=True, union_by_name=True)
        replaced = [f"{date}::DATE AS {date}"]
        # Everything in the lake is UTC; a zone in the type would only make Python ask for a time zone database.
        replaced += [
            f"{name} AT TIME ZONE 'UTC' AS {name}"
            for name, kind in zip(files.columns, files.types, strict=True)
            if kind == "TIMESTAMP WITH TIME ZONE"
        ]
        files.select(f"* REPLACE ({', '.join(replaced)})").create_view(table)

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


def _sentence(refused: Exception) -> str:
    text = str(refused)
    if _NO_TABLE in text:
        # DuckDB would propose tables of its own catalogue.
        text = _PROPOSAL.sub("\n", text) + f"\nThe tables are {', '.join(TABLES)}."
    return f"DuckDB refuses the query. {text}"


def _plain(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
