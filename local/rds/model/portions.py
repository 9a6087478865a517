"""Portions: at most 10,000 lines and 1 MiB, cut inside a line if that is where the megabyte ends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from local.rds.model.errors import binary
from local.rds.model.generations import Generation

MAX_LINES = 10_000
MAX_BYTES = 1_048_576
NOTICE = b"\n [Your log message was truncated]\n"
# What XML 1.0 has no place for (https://www.w3.org/TR/xml/#charsets).
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NON_CHARACTERS = ("\ufffe", "\uffff")
_REPLACED = dict.fromkeys([*_CONTROLS, *map(ord, _NON_CHARACTERS)], "\ufffd")
_BLOCK = 1 << 20


class CutMarker(StrEnum):
    """Where a marker points after a cut line.

    NEXT_LINE skips the rest of the line, as seen on RDS (rdstail, aws-cli#3079); CUT goes on where the cut is;
    BEFORE_CUT goes on a little before and repeats a fragment (aws-sdk-cpp#1427, aws-sdk-php#1422).
    """

    NEXT_LINE = "next_line"
    CUT = "cut"
    BEFORE_CUT = "before_cut"


class BinaryPolicy(StrEnum):
    """What becomes of bytes that XML 1.0 cannot carry.

    REPLACE: U+FFFD for each. REFUSE: the binary error. RAW: sent as they are, so that the client's parser fails.
    """

    REPLACE = "replace"
    REFUSE = "refuse"
    RAW = "raw"


@dataclass(frozen=True)
class Slice:
    """Bytes for one answer.

    Attributes:
        data: As in the file, without notice.
        end: Offset of the byte after them.
        cut: Whether the last line is cut because the megabyte is full.
    """

    data: bytes
    end: int
    cut: bool


def slice_lines(generation: Generation, offset: int, lines: int, most: int, now: datetime) -> Slice:
    """Take up to `lines` lines and `most` bytes from an offset; a last line without newline comes as it is."""
    data = generation.read(offset, offset + most, now)
    position = -1
    for _ in range(lines):
        position = data.find(b"\n", position + 1)
        if position < 0:
            break
    else:
        return Slice(data[: position + 1], offset + position + 1, cut=False)
    cut = len(data) == most and not data.endswith(b"\n") and generation.size(now) > offset + most
    return Slice(data, offset + len(data), cut)


def last_lines(generation: Generation, lines: int, most: int, now: datetime) -> Slice:
    """Take the newest lines, at most `most` bytes of them."""
    size = generation.size(now)
    data = generation.read(max(0, size - most), size, now)
    position = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            break
    if position < 0 and len(data) < size:
        position = data.find(b"\n")
    return Slice(data[position + 1 :], size, cut=False)


def line_end(generation: Generation, offset: int, now: datetime, lines: int = 1) -> int:
    """Return the offset after the `lines`-th newline from here, or the file's size."""
    size = generation.size(now)
    while offset < size and lines:
        block = generation.read(offset, min(offset + _BLOCK, size), now)
        newline = block.find(b"\n")
        if newline < 0:
            offset += len(block)
        else:
            offset += newline + 1
            lines -= 1
    return offset


def transmissible(data: bytes, policy: BinaryPolicy) -> bytes:
    """Return bytes as an XML document can carry them, before escaping.

    Raises:
        ServiceError: The policy refuses them.
    """
    if policy is BinaryPolicy.RAW:
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError as bad:
        # A character that the end of the portion cuts is no binary data.
        if policy is BinaryPolicy.REFUSE and bad.reason != "unexpected end of data":
            raise binary() from None
        text = data.decode(errors="replace")
    if len(data.translate(None, _CONTROLS)) == len(data) and not any(none in text for none in _NON_CHARACTERS):
        return text.encode()
    if policy is BinaryPolicy.REFUSE:
        raise binary()
    return text.translate(_REPLACED).encode()
