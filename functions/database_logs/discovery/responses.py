"""Answers of RDS that are kept for minutes and shared by all functions, and when they are not believed.

A cache is anything that keeps bytes under a key. It may lose them, fail, or give back what nobody put there: all of
that is as if it had nothing, and is counted.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any, Final, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from database_logs.errors import CacheUnavailable

_VERSION: Final = 1
# zlib makes a tenth of an answer; of a few rows it makes no item of DynamoDB smaller.
_COMPRESSED_FROM: Final = 1024
_PLAIN, _PACKED = b"p", b"z"
# A cache that failed is left alone for so long: a pass asks it some hundred times, and waits for it each time.
_REST: Final = timedelta(minutes=1)

Rows = list[dict[str, Any]]


class Cache(Protocol):
    """Keeps bytes under keys.

    Raises, each method:
        CacheUnavailable: It does not answer.
    """

    def get(self, key: str) -> bytes | None:
        """Return what was put last under a key; None if there is nothing, or nothing any more."""

    def put(self, key: str, value: bytes, keep: timedelta) -> None:
        """Keep a value, which need not be kept for longer than so long."""


class MemoryCache:
    """A cache in the memory of a warm process; what was not used for longest goes first.

    Args:
        most_bytes: It holds at most.
    """

    def __init__(self, most_bytes: int = 32_000_000) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """Return what is under a key."""
        with self._lock:
            if (value := self._held.get(key)) is not None:
                self._held.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, keep: timedelta) -> None:  # noqa: ARG002 - whoever reads looks at the age
        """Keep a value."""
        with self._lock:
            self._bytes += len(value) - len(self._held.pop(key, b""))
            self._held[key] = value
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._held.popitem(last=False)[1])


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    key: str
    asked_at: AwareDatetime
    rows: Rows


@dataclass
class Uses:
    """How a cache was used, for metrics.

    Attributes:
        hits: Answers that were there.
        failures: Requests that it did not answer, and answers that nobody can have put there.
    """

    hits: int = 0
    failures: int = 0


class Responses:
    """Answers to one role in one account and region.

    Args:
        near: The process's own memory.
        shared: What all functions share.
        owner: Account, region and role, in this order: each has answers of its own.
        now: The time.
    """

    def __init__(self, near: Cache, shared: Cache, owner: tuple[str, str, str], now: Callable[[], datetime]) -> None:
        self._near = near
        self._shared = shared
        self._owner = owner
        self._now = now
        self._rests_until: datetime | None = None
        self.uses = Uses()

    def rows(
        self,
        operation: str,
        given: dict[str, Any],
        keep: timedelta,
        ask: Callable[[], Rows],
        *,
        fresh: bool = False,
    ) -> Rows:
        """Return the rows of all pages of an answer, as JSON has them: times are texts.

        Args:
            operation: Of RDS.
            given: Its parameters.
            keep: How old the answer may be.
            ask: Asks RDS.
            fresh: What is kept is passed by, and replaced.
        """
        key = self._key(operation, given)
        if not fresh and (found := self._kept(key, keep)) is not None:
            self.uses.hits += 1
            return found
        asked_at = self._now()
        # What is kept must not differ from what is not.
        rows: Rows = json.loads(json.dumps(ask(), default=datetime.isoformat))
        value = _encoded(_Entry(version=_VERSION, key=key, asked_at=asked_at, rows=rows))
        self._near.put(key, value, keep)
        self._share(key, value, keep)
        return rows

    def _key(self, operation: str, given: dict[str, Any]) -> str:
        # The lengths of the parts are in it, so that no two owners can have one text.
        text = json.dumps([*self._owner, operation, given], sort_keys=True)
        return f"{operation}/{sha256(text.encode()).hexdigest()}"

    def _kept(self, key: str, keep: timedelta) -> Rows | None:
        if (value := self._near.get(key)) is not None and (rows := self._believed(key, value, keep)) is not None:
            return rows
        if (value := self._looked_up(key)) is None or (rows := self._believed(key, value, keep)) is None:
            return None
        self._near.put(key, value, keep)
        return rows

    def _believed(self, key: str, value: bytes, keep: timedelta) -> Rows | None:
        try:
            entry = _decoded(value)
        except (ValueError, zlib.error):
            entry = None
        if entry is None or (entry.version, entry.key) != (_VERSION, key):
            self.uses.failures += 1
            return None
        # Clocks of two machines differ a little; an answer from far in the future would be believed for ever.
        return entry.rows if abs(self._now() - entry.asked_at) < keep else None

    def _looked_up(self, key: str) -> bytes | None:
        if self._rests():
            return None
        try:
            return self._shared.get(key)
        except CacheUnavailable:
            self._fail()
            return None

    def _share(self, key: str, value: bytes, keep: timedelta) -> None:
        if self._rests():
            return
        try:
            self._shared.put(key, value, keep)
        except CacheUnavailable:
            self._fail()

    def _fail(self) -> None:
        self.uses.failures += 1
        self._rests_until = self._now() + _REST

    def _rests(self) -> bool:
        return self._rests_until is not None and self._now() < self._rests_until


def _encoded(entry: _Entry) -> bytes:
    text = entry.model_dump_json().encode()
    return _PACKED + zlib.compress(text) if len(text) >= _COMPRESSED_FROM else _PLAIN + text


def _decoded(value: bytes) -> _Entry:
    form, body = value[:1], value[1:]
    if form not in {_PLAIN, _PACKED}:
        raise ValueError(f"{form!r} is no form of an entry")
    return _Entry.model_validate_json(zlib.decompress(body) if form == _PACKED else body)
