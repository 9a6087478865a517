"""The Lambda Runtime API of one execution environment, as AWS's Runtime Interface Client speaks it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from typing import Any, Literal

PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """An event on its way to a function.

    Attributes:
        event: The payload as JSON.
        timeout: Seconds that the function may take once it has the event.
    """

    request_id: str
    event: bytes
    function_arn: str
    timeout: float
    trace_id: str


@dataclass(frozen=True)
class Signal:
    """What happened to an execution environment, in the order in which it happened."""

    kind: Literal["started", "response", "error", "exited"]
    body: bytes = b""
    exit_code: int = 0


class RuntimeApi:
    """One loopback server; the function's process is its only client.

    Attributes:
        address: host:port for AWS_LAMBDA_RUNTIME_API.
        signals: What the process did, for whoever waits for its answer.
    """

    def __init__(self) -> None:
        self.signals: SimpleQueue[Signal] = SimpleQueue()
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        threading.Thread(target=self._accept, daemon=True, name=f"runtime-api-{port}").start()

    def offer(self, invocation: Invocation) -> None:
        """Queue an event for the process, which may not have come up yet."""
        self._invocations.put(invocation)

    def next(self) -> Invocation | None:
        """Wait for the next event; None once the API is closed."""
        return self._invocations.get()

    def close(self) -> None:
        """Stop listening and let a waiting process go."""
        self._invocations.put(None)
        # close() alone does not wake a thread in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: Any) -> None:
        try:
            _Conversation(connection, peer, self)  # type: ignore[arg-type] # only a socketserver by name
        except OSError:
            pass  # the process is gone: its exit is signalled by whoever started it
        finally:
            connection.close()


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Two small writes an answer would wait 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1

    server: Any

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            self._reply(404)
            return
        api: RuntimeApi = self.server
        invocation = api.next()
        if invocation is None:
            self.close_connection = True
            return
        api.signals.put(Signal("started"))
        self._reply(
            200,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        api: RuntimeApi = self.server
        self._reply(202, json.dumps({"status": "OK"}).encode())
        self.wfile.flush()
        api.signals.put(Signal("response" if self.path.endswith("/response") else "error", body))

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: Any) -> None:
        """Say nothing: every request would be a line."""
