"""Stands between a program and an emulator on the loopback: counts calls, and makes each as slow as a network would.

One call of AWS is one HTTP request; how it is named by service and operation is for people who read the counts.
"""

import asyncio
import re
import threading
from collections import Counter
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

_SERVICE: Final = re.compile(rb"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_BODYLESS: Final = frozenset({204, 304})
_LIMIT: Final = 16 * 1024 * 1024


class CountingProxy:
    """A proxy for one emulator.

    Args:
        upstream: Port of the emulator on the loopback.
        delay: Seconds that each call takes beside what the emulator needs.
    """

    def __init__(self, upstream: int, delay: float) -> None:
        self._upstream = upstream
        self._delay = delay
        self._ready = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self.port = 0
        self.calls: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """AWS_ENDPOINT_URL of what is to be counted."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, limit=_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while head := await _head(reader):
                body = await _body(reader, head)
                self.calls[name_of(head, body)] += 1
                await asyncio.sleep(self._delay)
                if upstream is None:
                    upstream = await asyncio.open_connection("127.0.0.1", self._upstream, limit=_LIMIT)
                upstream[1].write(head + body)
                answer = await _head(upstream[0])
                writer.write(answer + await _answer_body(upstream[0], head, answer))
                await writer.drain()
                if b"\r\nconnection: close" in answer.lower():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one side has gone: the other one sees the end
        finally:
            writer.close()
            if upstream is not None:
                upstream[1].close()


def name_of(head: bytes, body: bytes) -> str:
    """Return what a request asks for, as `dynamodb.DescribeTable` or `s3.GET ?versioning`."""
    scope = _SERVICE.search(head)
    service = scope[1].decode() if scope else "unsigned"
    if target := _header(head, b"x-amz-target"):
        return f"{service}.{target.rpartition('.')[2]}"
    if body.startswith(b"Action=") or b"&Action=" in body:
        return f"{service}.{parse_qs(body.decode())['Action'][0]}"
    method, url, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    parts = urlsplit(url)
    if service == "s3":
        depth = "object" if parts.path.strip("/").count("/") else "bucket" if parts.path.strip("/") else "account"
        return f"s3.{method} {'?' + parts.query.partition('=')[0] if parts.query else depth}"
    return f"{service}.{method} {'/'.join(parts.path.split('/')[:3])}"


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise
        return b""


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if _header(head, b"transfer-encoding").lower() == "chunked":
        chunks = []
        while True:
            size = await reader.readuntil(b"\r\n")
            chunks += [size, await reader.readexactly(int(size.split(b";")[0], 16) + 2)]
            if int(size.split(b";")[0], 16) == 0:
                return b"".join(chunks)
    length = int(_header(head, b"content-length") or 0)
    return await reader.readexactly(length) if length else b""


async def _answer_body(reader: asyncio.StreamReader, request: bytes, answer: bytes) -> bytes:
    status = int(answer.split(b" ", 2)[1])
    return b"" if request.startswith(b"HEAD ") or status in _BODYLESS else await _body(reader, answer)


def _header(head: bytes, name: bytes) -> str:
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r]*)\r\n", head, re.IGNORECASE)
    return found[1].decode() if found else ""
