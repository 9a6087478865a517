"""Markers of DownloadDBLogFilePortion, `hour:offset`: taken apart at the last colon, and built.

The text is never kept: the same byte gets another marker once the hour has turned. Offsets are honoured in a marker
that the caller builds (observed byte for byte by rdstail on RDS for MySQL and PostgreSQL).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FIRST: Final = "0"
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Marker:
    """A position as RDS gives it.

    Attributes:
        prefix: What is before the last colon, an hour id; empty in `0`.
        offset: Bytes.
    """

    prefix: str
    offset: int

    @property
    def dated(self) -> bool:
        """Whether the hour has its day, as `2024-05-01.7`; older versions write `7`."""
        return "-" in self.prefix


def parse(text: str | None) -> Marker | None:
    """Take a marker apart; None for what is none, as RDS answers while it rotates a file."""
    prefix, _, offset = (text or "").rpartition(":")
    return Marker(prefix, int(offset)) if offset.isascii() and offset.isdigit() else None


def build(prefix: str, offset: int) -> str:
    """Return the marker of an offset. The first byte's is `0`: without a marker RDS gives the newest lines only."""
    return f"{prefix}:{offset}" if offset else FIRST


def hour_of(written: datetime) -> datetime:
    """Return the hour to which a file is counted that is written at a time: the one that ends next, UTC."""
    return written.replace(minute=0, second=0, microsecond=0) + _HOUR


def hour_id(hour: datetime, *, dated: bool) -> str:
    """Write an hour as markers do; hours are not padded."""
    return f"{hour:%Y-%m-%d}.{hour.hour}" if dated else str(hour.hour)
