"""Logs as RDS writes them, made from a seed: `python bench/rds_logs.py KIND MEGABYTES` writes one and prints its path.

Statements come from templates with fresh values, some of them over many lines. Of a hundred records of PostgreSQL about
90 are statements with their durations, one is an error with its attached lines, the others are connections,
checkpoints and autovacuum.
"""

import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / ".local" / "bench" / "rds"
_SEED: Final = 47
_RECENT: Final = """\
WITH recent AS (
  SELECT customer_id, sum(total) AS spent
  FROM orders
  WHERE created_at >= <date>
  GROUP BY customer_id
)
SELECT c.id, c.name, r.spent
FROM recent r
  JOIN customers c ON c.id = r.customer_id
WHERE r.spent > <number>.<number>
ORDER BY r.spent DESC"""
_ORDERS: Final = """\
SELECT o.id, o.total, c.email
FROM orders o
  JOIN customers c ON c.id = o.customer_id
WHERE o.created_at > <date>
  AND o.status IN (<word>, <word>)
ORDER BY o.created_at DESC
LIMIT <number>"""
_TEMPLATES: Final = (
    "SELECT id, name, price FROM products WHERE id = <number>",
    _ORDERS,
    "UPDATE accounts SET balance = balance - <number> WHERE id = <number>",
    "INSERT INTO events (kind, payload, created_at) VALUES (<word>, <json>, <date>)",
    "SELECT count(*) FROM sessions WHERE user_id = <number> AND kind = <word>",
    "DELETE FROM carts WHERE id IN (<number>, <number>, <number>, <number>)",
    _RECENT,
    "BEGIN",
    "COMMIT",
    "SELECT * FROM inventory WHERE sku = <word> AND warehouse_id = <number> FOR UPDATE",
)
_WORDS: Final = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo")
_CHECKPOINT: Final = (
    "checkpoint complete: wrote 1119 buffers (10.9%); 0 WAL file(s) added, 2 removed, 9 recycled; write=215.895 s, "
    "sync=0.014 s, total=216.130 s; sync files=94, longest=0.004 s, average=0.001 s; distance=8192 kB, estimate=900 kB"
)
_VACUUM: Final = (
    'automatic vacuum of table "shop.public.orders": index scans: 1\n'
    "pages: 0 removed, 14761 remain, 0 skipped due to pins, 12461 skipped frozen\n"
    "tuples: 0 removed, 122038 remain, 14433 are dead but not yet removable, oldest xmin: 538040633\n"
    "avg read rate: 1.339 MB/s, avg write rate: 8.705 MB/s"
)


@dataclass(frozen=True)
class _Event:
    """A message of PostgreSQL; `attached` are labels and texts."""

    now: datetime
    process: int
    severity: str
    message: str
    attached: tuple[tuple[str, str], ...] = ()


def path_of(kind: str, megabytes: int) -> Path:
    """Return the path of a log of this kind and size, written unless it is there."""
    path = FOLDER / f"{kind}-{megabytes}-{_SEED}.log"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            for record in KINDS[kind](random.Random(_SEED)):  # noqa: S311 - no secret
                file.write(record.encode())
                if file.tell() >= megabytes * 1_000_000:
                    break
        unfinished.replace(path)
    return path


def _clock(rng: random.Random) -> Iterator[datetime]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    while True:
        now += timedelta(microseconds=rng.randrange(20_000))
        yield now


def _statement(rng: random.Random) -> str:
    def value(mark: re.Match[str]) -> str:
        number, word = rng.randrange(1, 1_000_000), rng.choice(_WORDS)
        return {
            "number": str(number),
            "word": f"'{word}-{number % 1000}'",
            "json": f"""'{{"user": {number}, "page": "/{word}/{number % 89}"}}'""",
            "date": f"'2026-{number % 12 + 1:02}-{number % 28 + 1:02} 00:00:00'",
        }[mark[1]]

    return re.sub("<([a-z]+)>", value, rng.choice(_TEMPLATES))


def _events(rng: random.Random) -> Iterator[_Event]:
    kinds = ("statement", "execute", "received", "disconnection", "error", "checkpoint", "vacuum")
    weights = (55, 35, 4, 3, 1, 1, 1)
    for now in _clock(rng):
        process, milliseconds = rng.randrange(1000, 1200), rng.expovariate(0.3)
        match rng.choices(kinds, weights)[0]:
            case "statement":
                yield _Event(now, process, "LOG", f"duration: {milliseconds:.3f} ms  statement: {_statement(rng)}")
            case "execute":
                text = re.sub("= [0-9]+", "= $1", _statement(rng), count=1)
                parameters = f"parameters: $1 = '{rng.choice(_WORDS)}', $2 = '{rng.randrange(10**6)}'"
                message = f"duration: {milliseconds:.3f} ms  execute <unnamed>: {text}"
                yield _Event(now, process, "LOG", message, (("DETAIL", parameters),))
            case "received":
                yield _Event(now, process, "LOG", f"connection received: host=10.0.1.7 port={30000 + process}")
            case "disconnection":
                message = "disconnection: session time: 0:00:12.345 user=app database=shop host=10.0.1.7 port=31000"
                yield _Event(now, process, "LOG", message)
            case "error":
                key = rng.randrange(10**6)
                statement = f"INSERT INTO products (id, name) VALUES ({key}, 'alpha')"  # noqa: S608 - a log's text
                attached = (("DETAIL", f"Key (id)=({key}) already exists."), ("STATEMENT", statement))
                message = 'duplicate key value violates unique constraint "products_pkey"'
                yield _Event(now, process, "ERROR", message, attached)
            case "checkpoint":
                yield _Event(now, process, "LOG", _CHECKPOINT)
            case "vacuum":
                yield _Event(now, process, "LOG", _VACUUM)


def _postgres(rng: random.Random) -> Iterator[str]:
    """Yield records of PostgreSQL's stderr with RDS' prefix."""
    for event in _events(rng):
        client = f"10.0.{event.process % 250}.7({30000 + event.process}):app@shop"
        prefix = f"{event.now:%Y-%m-%d %H:%M:%S} UTC:{client}:[{event.process}]:"
        lines = ((event.severity, event.message), *event.attached)
        yield "".join(f"{prefix}{label}:  {text}".replace("\n", "\n\t") + "\n" for label, text in lines)


def _csv(rng: random.Random) -> Iterator[str]:
    """Yield records of PostgreSQL 14's csvlog."""
    for number, event in enumerate(_events(rng), 1):
        texts = {label: _quoted(text) for label, text in event.attached}
        yield (
            f'{_milliseconds(event.now)},"app","shop",{event.process},"10.0.1.7:{30000 + event.process}",'
            f'68f2{event.process:x}.{event.process:x},{number},"SELECT",{event.now:%Y-%m-%d %H:%M:%S} UTC,'
            f"3/{number % 997},0,{event.severity},{'23505' if event.severity == 'ERROR' else '00000'},"
            f"{_quoted(event.message)},"
            f'{texts.get("DETAIL", "")},,,,,{texts.get("STATEMENT", "")},,,"api","client backend",,{number * 7919}\n'
        )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _milliseconds(now: datetime) -> str:
    return f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03} UTC"


def _slow(rng: random.Random) -> Iterator[str]:
    """Yield events of MySQL 8.0's slow log."""
    for now in _clock(rng):
        seconds, examined = rng.expovariate(2), rng.randrange(10**5)
        database = "use shop;\n" if examined % 7 == 0 else ""
        yield (
            f"# Time: {now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06}Z\n"
            f"# User@Host: app[app] @  [10.0.{examined % 250}.7]  Id: {examined % 1000:5}\n"
            f"# Query_time: {seconds:.6f}  Lock_time: {seconds / 1000:.6f} Rows_sent: {examined % 100}  "
            f"Rows_examined: {examined}\n{database}SET timestamp={int(now.timestamp())};\n{_statement(rng)};\n"
        )


def _audit(rng: random.Random) -> Iterator[str]:
    """Yield events of Aurora MySQL's audit log."""
    for number, now in enumerate(_clock(rng)):
        stamp = int(now.timestamp()) * 10**6 + now.microsecond
        head = f"{stamp},orders-1,app,10.0.{number % 250}.7,{number % 1000},{number}"
        match rng.choices(("query", "table", "connect"), (70, 25, 5))[0]:
            case "query":
                text = _statement(rng).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
                yield f"{head},QUERY,shop,'{text}',0\n"
            case "table":
                yield f"{head},READ,shop,orders,\n"
            case "connect":
                yield f"{head},CONNECT,shop,,0\n"


KINDS: Final[dict[str, Callable[[random.Random], Iterator[str]]]] = {
    "postgres": _postgres,
    "csv": _csv,
    "slow": _slow,
    "audit": _audit,
}

if __name__ == "__main__":
    print(path_of(sys.argv[1], int(sys.argv[2])))
