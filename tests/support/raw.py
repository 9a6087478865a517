"""Small raw objects for tests, written without the code under test."""

import gzip
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb


def an_event(number: int, **given: Any) -> dict[str, Any]:
    """Return one raw firewall event; numbers tell events apart."""
    return {
        "Datetime": f"2026-06-0{1 + number % 2}T{number % 24:02}:00:{number % 60:02}Z",
        "RayID": f"{number:016x}",
        "Action": "block" if number % 3 else "log",
        "Source": "waf",
        "RuleID": f"rule-{number % 5}",
        "ClientIP": f"192.0.2.{number % 250}",
        "ClientRequestHost": f"h{number % 7}.example.com",
        "ClientRequestPath": f"/orders/{number}",
        "EdgeResponseStatus": 403,
    } | given


def ndjson(events: Iterable[dict[str, Any]]) -> bytes:
    """Return events as Logpush writes them."""
    return gzip.compress(b"".join(json.dumps(event).encode() + b"\n" for event in events), mtime=0)


def parquet(rows: int, row_group_rows: int = 2048) -> bytes:
    """Return a raw parquet object of so many events, cut into row groups (of at least DuckDB's 2,048 rows)."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder, "raw.parquet")
        connection.sql(f"""
            COPY (SELECT strftime(TIMESTAMP '2026-06-01' + INTERVAL (i) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS "Datetime",
                         printf('%016x', i) AS "RayID", 'block' AS "Action", 'waf' AS "Source",
                         'h' || (i % 7) || '.example.com' AS "ClientRequestHost", '192.0.2.1' AS "ClientIP",
                         403 AS "EdgeResponseStatus"
                  FROM range({rows}) t(i))
            TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE {row_group_rows})""")  # noqa: S608 - numbers of this test
        return path.read_bytes()


def truncated(rows: int = 2000) -> bytes:
    """Return gzip NDJSON that was cut in the middle."""
    whole = gzip.compress(b"".join(b'{"RayID": "%016x"}\n' % n for n in range(rows)), mtime=0)
    return whole[: len(whole) // 2]


def flipped(rows: int = 2000) -> bytes:
    """Return gzip NDJSON with wrong bytes in its middle."""
    whole = bytearray(gzip.compress(b"".join(b'{"RayID": "%016x"}\n' % n for n in range(rows)), mtime=0))
    middle = len(whole) // 2
    whole[middle : middle + 8] = bytes(255 - byte for byte in whole[middle : middle + 8])
    return bytes(whole)
