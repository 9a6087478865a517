import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.counting_proxy import CountingProxy

DELAY = 0.05


class Emulator(BaseHTTPRequestHandler):
    """Answers what it was asked, and nothing to a HEAD."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[CountingProxy]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Emulator) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with CountingProxy(server.server_address[1], DELAY) as made:
            yield made
        server.shutdown()


def test_each_request_of_a_connection_is_counted_answered_and_late(proxy: CountingProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    target = {"x-amz-target": "DynamoDB_20120810.ListTables"}
    began = time.monotonic()
    for body in (b"first", b"a second one"):
        connection.request("POST", "/", body, target)
        assert connection.getresponse().read() == body
    # Its answer has a length and no body: who waited for one would wait for ever.
    connection.request("HEAD", "/bucket")
    assert connection.getresponse().status == 200
    assert time.monotonic() - began >= 3 * DELAY
    assert sum(proxy.calls.values()) == 3
    assert proxy.calls["unsigned.ListTables"] == 2
    connection.close()
