"""The bytes of gzip objects, of any number of members, and what is wrong with them where something is."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from firewall_logs.rows import ObjectDefect

_MAGIC: Final = b"\x1f\x8b"  # RFC 1952 section 2.3.1
_WINDOW: Final = 16 + zlib.MAX_WBITS  # 16: with gzip's header and trailer
_READ_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 16 << 20


def blocks(raw: Path) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks of whole lines, with the line feed of each but perhaps the very last.

    Raises:
        ObjectDefect: `empty`, `not_gzip`, `gzip_truncated` or `gzip_corrupt`.
    """
    pending = bytearray()
    for piece in _decompressed(raw):
        searched = len(pending)
        pending += piece
        if len(pending) >= _BLOCK_BYTES and (end := pending.rfind(b"\n", searched) + 1):
            yield bytes(pending[:end])
            del pending[:end]
    if pending:
        yield bytes(pending)


def _decompressed(raw: Path) -> Iterator[bytes]:
    with raw.open("rb") as file:
        data = file.read(_READ_BYTES)
        if not data:
            raise ObjectDefect("empty")
        if not data.startswith(_MAGIC):
            raise ObjectDefect("not_gzip")
        while data:
            member = zlib.decompressobj(_WINDOW)
            while not member.eof:
                if not data:
                    raise ObjectDefect("gzip_truncated")
                try:
                    # Bounded, since a megabyte can expand to a thousand.
                    yield member.decompress(data, _BLOCK_BYTES)
                except zlib.error:
                    raise ObjectDefect("gzip_corrupt") from None
                data = member.unconsumed_tail or (b"" if member.eof else file.read(_READ_BYTES))
            # Zeros after a member are padding, as gzip has it; of anything else the next header is judge.
            data = (member.unused_data or file.read(_READ_BYTES)).lstrip(b"\0")
            while not data and (more := file.read(_READ_BYTES)):
                data = more.lstrip(b"\0")
