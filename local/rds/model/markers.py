"""Markers: an hour and an offset. The same byte gets another marker once the hour has turned."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from local.rds.model.errors import invalid

HOUR = timedelta(hours=1)
_DATED = re.compile(r"(\d{4})-(\d\d)-(\d\d)\.(\d{1,2})")
_HOUR_ONLY = re.compile(r"\d{1,2}")


class MarkerStyle(StrEnum):
    """How the part before the colon is written: `17` (PostgreSQL, older MySQL) or `2026-11-21.17` (MySQL 8.4)."""

    HOUR = "hour"
    DATED = "dated"


@dataclass(frozen=True)
class Marker:
    """A position as a caller gives it.

    Attributes:
        prefix: What stands before the last colon; None in `0`.
        offset: Bytes.
    """

    prefix: str | None
    offset: int


def parse(text: str) -> Marker:
    """Take a marker apart at its last colon.

    Raises:
        ServiceError: It is no marker.
    """
    prefix, colon, offset = text.rpartition(":")
    if not offset.isascii() or not offset.isdigit() or (not colon and int(offset)):
        raise invalid(f"Invalid marker: {text}")
    return Marker(prefix if colon else None, int(offset))


def live_hour(now: datetime) -> datetime:
    """Return the hour that the live file is counted to: the one that ends next."""
    return now.replace(minute=0, second=0, microsecond=0) + HOUR


def hour_id(hour: datetime, style: MarkerStyle) -> str:
    """Write an hour as markers and names of rotated files do; hours are not padded."""
    return f"{hour:%Y-%m-%d}.{hour.hour}" if style is MarkerStyle.DATED else str(hour.hour)


def hour_of(prefix: str, now: datetime) -> datetime | None:
    """Return the hour that a prefix means: one without date, the last such hour; None if it is no hour."""
    live = live_hour(now)
    if dated := _DATED.fullmatch(prefix):
        year, month, day, hour = map(int, dated.groups())
        try:
            return live.replace(year=year, month=month, day=day, hour=hour)
        except ValueError:
            return None
    if _HOUR_ONLY.fullmatch(prefix) and int(prefix) < 24:  # noqa: PLR2004 - hours of a day
        return live - HOUR * ((live.hour - int(prefix)) % 24)
    return None
