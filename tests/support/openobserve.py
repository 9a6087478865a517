"""A server with OpenObserve's bulk ingestion and search, which stores what it is sent, and fails when it is told to.

Behaviour: OpenObserve's source, `src/core/src/logs/bulk.rs`, `src/ingestion_common` and `src/config/src/utils/time.rs`
as of 2026-08, and its API documentation. It shares no code with what sends to it.
"""

import base64
import gzip
import json
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Row = dict[str, Any]
# What one request meets. unstored: answered as if all were well, as when the write-ahead log fails. dropped: items
# are absent and so are the rows. breaker: the stream refuses. reset: the connection ends. page: a proxy's answer.
Phase = Literal["ok", "503", "429", "quota", "unstored", "dropped", "breaker", "reset", "page"]

USER, PASSWORD, ORGANISATION = "collector@example.com", "Complex#Pass:1", "default"
_ACTIONS = ("create", "index", "update")
_FLATTEN_LEVEL = 3
_HOUR = 3_600_000_000
_WELL = {
    "_version": 1,
    "result": "created",
    "_shards": {"total": 1, "successful": 1, "failed": 0},
    "_seq_no": 1,
    "_primary_term": 1,
    "status": 200,
}


class BadBody(Exception):
    """The whole request is refused."""


class OpenObserve:
    """State of the server.

    Attributes:
        phases: What the next requests meet; after the last all is well.
        poisonous: `_id`s of documents that the body cannot be parsed with.
        requests: Decoded bytes of each bulk request that came.
        payload_limit: Decoded bytes that a request may have.
        retry_after: Seconds that it asks to wait where it has too many requests.
        password: Of the user.
    """

    def __init__(self, *, past_hours: float = 5, future_hours: float = 24) -> None:
        self.streams: dict[str, list[Row]] = {}
        self.phases: deque[Phase] = deque()
        self.poisonous: set[str] = set()
        self.requests: list[int] = []
        self.payload_limit = 209_715_200
        self.retry_after = 3
        self.password = PASSWORD
        self.past, self.future = past_hours * _HOUR, future_hours * _HOUR
        self.lock = threading.Lock()
        self.url = ""

    def ids(self, stream: str) -> list[str]:
        """Return the `_id`s of a stream's rows in order."""
        return sorted(row["_id"] for row in self.streams.get(stream, []))

    def bulk(self, body: bytes) -> Row:
        """Take a bulk request in a good phase, and return the answer."""
        failed: list[Row] = []
        well: list[Row] = []
        errors = False
        for action, stream, row in _documents(body, self.poisonous):
            now = time.time_ns() // 1_000
            item = {"_index": stream, "_id": row.get("_id", "")}
            at = _micros(row.get("_timestamp"), now)
            if not now - self.past <= at <= now + self.future:
                reason = "Too old data, only last 5 hours data can be ingested. Data discarded."
                if at > now:
                    reason = "Too far data, only future 24 hours data can be ingested. Data discarded."
                failed.append({action: _failed(item, "timestamp_parsing_failed", reason, row)})
                errors = True
            elif conflict := self._conflict(stream, row):
                # The one failure that leaves `errors` false.
                failed.append({action: _failed(item, "schema_conformance_failed", conflict, row)})
            else:
                self.streams.setdefault(stream, []).append({**row, "_timestamp": at})
                well.append({action: {**item, **_WELL}})
        return {"took": 0, "errors": errors, "items": [*failed, *well]}

    def search(self, sql: str, start: int, end: int) -> list[Row]:
        """Run a query over the rows of a time, in microseconds."""
        database = sqlite3.connect(":memory:")
        database.row_factory = sqlite3.Row
        for stream, rows in self.streams.items():
            inside = [row for row in rows if start <= row["_timestamp"] < end]
            columns = sorted({name for row in rows for name in row})
            database.execute(f'CREATE TABLE "{stream}" ({", ".join(f"{name!r}" for name in columns)})')
            places = ", ".join("?" for _ in columns)
            database.executemany(
                f'INSERT INTO "{stream}" VALUES ({places})',  # noqa: S608 - the stream's name was made safe
                [[row.get(name) for name in columns] for row in inside],
            )
        return [dict(row) for row in database.execute(sql)]

    def _conflict(self, stream: str, row: Row) -> str | None:
        """Return why a row does not fit the types that its stream has; a number that is text can be cast."""
        for name, value in row.items():
            if not isinstance(value, str) or _is_number(value):
                continue
            if any(isinstance(known.get(name), int | float) for known in self.streams.get(stream, [])[:1]):
                return f"failed to cast field {name} of value '{value}' to Int64"
        return None


@contextmanager
def running(server: OpenObserve | None = None) -> Iterator[OpenObserve]:
    """Yield a server that listens; its `url` is what stands before `/_bulk`."""
    state = server or OpenObserve()
    http = _Server(state)
    state.url = f"http://127.0.0.1:{http.server_port}/api/{ORGANISATION}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, state: OpenObserve) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _state(self) -> OpenObserve:
        assert isinstance(self.server, _Server)
        return self.server.state

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        routes = {
            f"/api/{ORGANISATION}/_bulk": self._bulk,
            f"/api/{ORGANISATION}/_search": self._search,
        }
        token = base64.b64encode(f"{USER}:{self._state.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {token}":
            self._answer(401, "Unauthorized Access")
        elif route := routes.get(self.path.partition("?")[0]):
            with self._state.lock:
                route(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        else:
            self._answer(404, "not found")

    def _bulk(self, body: bytes) -> None:
        self._state.requests.append(len(body))
        phase: Phase = self._state.phases.popleft() if self._state.phases else "ok"
        if len(body) > self._state.payload_limit:
            self._answer(413, "A payload reached size limit.")
        elif phase == "reset":
            self.close_connection = True
            self.connection.close()
        elif phase in _FAILURES:
            self._answer(*_FAILURES[phase])
        else:
            self._taken(phase, body)

    def _taken(self, phase: Phase, body: bytes) -> None:
        before = {stream: list(rows) for stream, rows in self._state.streams.items()}
        try:
            answer = self._state.bulk(body)
        except BadBody as error:
            self._state.streams = before
            self._answer(400, {"code": 400, "message": str(error)})
            return
        if phase != "ok":
            self._state.streams = before
        if phase == "dropped":
            answer["items"] = answer["items"][: len(answer["items"]) // 2]
            for item in answer["items"]:
                self._keep(item, body)
        elif phase == "breaker":
            refused = {"_index": "", "_id": ""}
            answer = {
                "took": 0,
                "errors": True,
                "items": [{"create": _failed(refused, "pipeline_execution_failed", "stream is refused", None)}],
            }
        self._answer(200, answer)

    def _keep(self, item: Row, body: bytes) -> None:
        """Store the rows whose items are there after all."""
        [said] = item.values()
        for _, stream, row in _documents(body, set()):
            if row.get("_id") == said["_id"]:
                self._state.streams.setdefault(stream, []).append(row)

    def _search(self, body: bytes) -> None:
        query = json.loads(body)["query"]
        stream = re.findall(r'FROM "([^"]+)"', query["sql"])[0]
        if stream not in self._state.streams:
            self._answer(400, {"code": 20002, "message": f"Search stream not found: {stream}"})
            return
        hits = self._state.search(query["sql"], query["start_time"], query["end_time"])
        first, most = query.get("from", 0), query.get("size", 10)
        self._answer(200, {"took": 0, "hits": hits[first : first + most], "total": len(hits)})

    def _answer(self, status: int, content: Row | str) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", str(self._state.retry_after))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


_FAILURES: dict[str, tuple[int, Row | str]] = {
    "503": (503, {"code": 503, "message": "MemoryTableOverflowError"}),
    "429": (429, "Too Many Requests"),
    "quota": (400, {"code": 400, "message": f"Quota exceeded for this organization [{ORGANISATION}]"}),
    "page": (200, "<html>welcome</html>"),
}


def _documents(body: bytes, poisonous: set[str]) -> Iterator[tuple[str, str, Row]]:
    """Yield action, stream and flat row of each document of a body."""
    action: tuple[str, str, str] | None = None
    for line in body.splitlines():
        if not line.strip():
            continue
        value = _parsed(line)
        if action is None:
            action = _action(value)
            continue
        name, stream, identity = action
        action = None
        if identity in poisonous or not isinstance(value, dict):
            raise BadBody(f"expected value at line 1 column {len(line) % 97}")
        row = dict(_flat(value))
        if identity:
            row["_id"] = identity
        yield name, stream, row


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise BadBody(str(error)) from error


def _action(value: Any) -> tuple[str, str, str] | None:
    """Return what a line of action says; what is none, or has no index, is skipped without a word."""
    for name in _ACTIONS:
        said = value.get(name) if isinstance(value, dict) else None
        if isinstance(said, dict) and said.get("_index"):
            return name, re.sub(r"[^a-zA-Z0-9_:-]+", "_", said["_index"]), str(said.get("_id", ""))
    return None


def _flat(value: Row, prefix: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a document: objects by their path to a depth, everything deeper and lists as JSON."""
    for name, inner in value.items():
        column = prefix + re.sub(r"[^a-z0-9_]", "_", name.lower())
        if isinstance(inner, dict) and level < _FLATTEN_LEVEL:
            yield from _flat(inner, f"{column}_", level + 1)
        else:
            yield column, json.dumps(inner) if isinstance(inner, dict | list) else inner


def _micros(value: Any, now: int) -> int:
    """Return a time in microseconds, its unit by its magnitude; none is now."""
    if not isinstance(value, int | float) or not value:
        return now
    for unit, limit in ((1_000_000, 10**11), (1_000, 10**14), (1, 10**17)):
        if value < limit:
            return int(value * unit)
    return int(value // 1_000)


def _failed(item: Row, kind: str, reason: str, row: Row | None) -> Row:
    error = {"type": kind, "reason": reason, "index_uuid": "1", "shard": "1", "index": item["_index"]}
    return {**item, "status": 422, "error": error, **({"originalRecord": row} if row is not None else {})}


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
