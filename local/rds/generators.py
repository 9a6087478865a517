"""Logs that are a pure function of seed, instance, log and time: fleets cost nothing until somebody reads.

Every record has a number of its own, so that lost and doubled ones can be told.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from local.rds.grammars import GRAMMARS, Event, Grammar
from local.rds.model.sources import MemorySource

_BANNER: Final = (
    b"/rdsdbbin/mysql/bin/mysqld, Version: 8.4.5 (Source distribution). started with:\n"
    b"Tcp port: 3306  Unix socket: /tmp/mysql.sock\nTime                 Id Command    Argument\n"
)
_MINUTE: Final = timedelta(minutes=1)
_CACHED_BYTES: Final = 2 << 20
_TABLES: Final = ("orders", "customers", "payments", "größe", "在庫", "sessions")
_STATEMENTS: Final = (
    "SELECT * FROM {table} WHERE id = {key} /* {number} */",
    "UPDATE {table} SET note = 'it''s {key} €' WHERE id IN ({key}, 7) /* {number} */",
    "INSERT INTO {table} (id, note) VALUES ({key}, 'ünï ☃ {number}')",
)
_USERS: Final = ("app", "report", "admin")


@dataclass(frozen=True)
class Texture:
    """What else is in a log beside ordinary records.

    Attributes:
        multi_line: Part of the statements that have several lines.
        crlf: Part of those whose lines end in CR LF.
        binary: Part of the statements with bytes that are no text.
        huge: Part of the statements with a literal of huge_bytes.
    """

    multi_line: float = 0.2
    crlf: float = 0.02
    binary: float = 0.0
    huge: float = 0.0
    huge_bytes: int = (1 << 20) + 1


class GeneratedSource:
    """A log whose bytes are made up minute by minute, when they are asked for.

    Args:
        seed: The same seed, the same bytes.
        grammar: Writes an event as the server does, with the newline at its end.
        start: When the log begins: a whole minute, UTC.
        per_minute: Records a minute, on average.
        texture: What else is in it.
        banner: What each file begins with; files begin on the hour.
    """

    def __init__(
        self,
        seed: str,
        grammar: Grammar,
        start: datetime,
        per_minute: float,
        *,
        texture: Texture | None = None,
        banner: bytes = b"",
    ) -> None:
        self._seed = seed
        self._grammar = grammar
        self._start = start
        self._per_minute = per_minute
        self._texture = texture or Texture()
        self._banner = banner
        self._ends = [0]
        self._minutes: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def length(self, now: datetime) -> int:
        """Return bytes written by now; the record that is being written may end in the middle of a character."""
        with self._lock:
            minute, rest = divmod(max(now - self._start, timedelta(0)), _MINUTE)
            begun = self._end(minute)
            return begun + int((self._end(minute + 1) - begun) * (rest / _MINUTE)) if rest else begun

    def cut(self, now: datetime) -> int:
        """Return where the next minute begins, unless one begins now: records are not cut."""
        with self._lock:
            return self._end(-(-max(now - self._start, timedelta(0)) // _MINUTE))

    def read(self, start: int, end: int) -> bytes:
        """As LogSource."""
        with self._lock:
            while self._ends[-1] < end:
                self._end(len(self._ends))
            pieces = []
            minute = bisect_right(self._ends, start) - 1
            while start < end:
                first = self._ends[minute]
                pieces.append(self._chunk(minute)[start - first : end - first])
                start = self._ends[minute + 1]
                minute += 1
            return b"".join(pieces)

    def _end(self, minute: int) -> int:
        while len(self._ends) <= minute:
            self._ends.append(self._ends[-1] + len(self._chunk(len(self._ends) - 1)))
        return self._ends[minute]

    def _chunk(self, minute: int) -> bytes:
        if minute in self._minutes:
            return self._minutes[minute]
        draw = Random(f"{self._seed}:{minute}")  # noqa: S311 - made up, and meant to come again
        number = int(self._per_minute) + (draw.random() < self._per_minute % 1)
        at = self._start + _MINUTE * minute
        banner = self._banner if not minute or not at.minute else b""
        if not number:
            return banner
        seconds = sorted(draw.random() * 60 for _ in range(number))
        chunk = banner + b"".join(
            self._grammar(_event(draw, at + timedelta(seconds=second), minute * 100_000 + place, self._texture))
            for place, second in enumerate(seconds)
        )
        self._minutes[minute] = chunk
        while len(self._minutes) > 1 and sum(map(len, self._minutes.values())) > _CACHED_BYTES:
            self._minutes.popitem(last=False)
        return chunk


def _event(draw: Random, at: datetime, number: int, texture: Texture) -> Event:
    def below(most: int) -> int:
        return int(draw.random() * most)  # a third of the time that randrange takes, and there are millions

    key, table = below(1_000_000), _TABLES[below(len(_TABLES))]
    sql = _STATEMENTS[below(len(_STATEMENTS))].format(table=table, key=key, number=number).encode()
    if draw.random() < texture.multi_line:
        newline = b"\r\n" if draw.random() < texture.crlf else b"\n"
        sql = sql.replace(b" WHERE ", newline + b" WHERE ").replace(b" VALUES ", newline + b" VALUES ")
    if draw.random() < texture.binary:
        sql += b" -- \x00\x1a\xff\xfe\x80"
    if draw.random() < texture.huge:
        sql += b" -- " + b"x" * texture.huge_bytes
    return Event(
        at=at,
        number=number,
        pid=300 + below(32_000),
        user=_USERS[below(len(_USERS))],
        host=f"10.0.{below(8)}.{1 + below(250)}",
        sql=sql,
        milliseconds=draw.expovariate(1 / 40),
        rows=below(5000),
        failed=draw.random() < 0.05,  # noqa: PLR2004 - some do
    )


def generated(
    seed: str, engine: str, start: datetime, per_minute: float, texture: Texture | None = None
) -> Callable[[str], GeneratedSource | None]:
    """Return an instance's sources by kind; error logs have a hundredth of the records.

    Args:
        seed: Names the instance too.
        engine: Whose grammars.
        start: A whole minute, UTC.
        per_minute: Records a minute in each log.
        texture: What else is in them.
    """

    def source(kind: str) -> GeneratedSource | None:
        grammar = GRAMMARS.get(engine, {}).get(kind)
        if grammar is None:
            return None
        rate = per_minute / 100 if kind == "error" else per_minute
        # PostgreSQL writes the same events into both of its files.
        events = "" if kind in {"stderr", "csv"} else kind
        banner = _BANNER if kind in {"slow", "general"} else b""
        return GeneratedSource(f"{seed}:{events}", grammar, start, rate, texture=texture, banner=banner)

    return source


def silent(engine: str) -> Callable[[str], MemorySource | None]:
    """Return the sources of an instance that sleeps: its logs are there, and nothing is written to them."""
    return lambda kind: MemorySource() if kind in GRAMMARS.get(engine, {}) else None
