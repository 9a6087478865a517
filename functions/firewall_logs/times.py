"""Instants: every form of `Datetime`, exactly and never through a float (docs/firewall_logs.md, "Time")."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from firewall_logs.values import Number

# The seconds of the years 2000 to 2099. Times 10^3, 10^6 and 10^9 the windows do not overlap.
UNIX_LOW: Final = 946_684_800
UNIX_HIGH: Final = 4_102_444_800
UNITS: Final = {"unix": 1, "unixms": 10**3, "unixus": 10**6, "unixnano": 10**9}
# Cloudflare is founded in 2009 and launches in September 2010.
EARLIEST_US: Final = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_LATENESS: Final = timedelta(hours=24)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
# RFC 3339 section 5.6, with a space for the T and without zone as well.
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))?", re.ASCII
)
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


class TimeRefused(ValueError):  # the state of a value
    """A `Datetime` that gives no instant; its argument is the reason for quarantine."""


@dataclass(frozen=True)
class Bounds:
    """What a feed and an object say about their times.

    Attributes:
        naive_is_utc: Whether a time without zone is one in UTC.
        latest_us: Latest plausible instant, in microseconds since 1970.
    """

    naive_is_utc: bool
    latest_us: int

    @classmethod
    def of(cls, naive_times: str, last_modified: datetime) -> "Bounds":
        """Return the bounds of an object with this LastModified, in a feed with this setting."""
        return cls(naive_times == "utc", microseconds(last_modified + _LATENESS))


@dataclass(frozen=True)
class Instant:
    """An instant and the form it came in.

    Attributes:
        us: Microseconds since 1970 in UTC.
        ns: Nanoseconds past that microsecond, 0 to 999.
        form: One of `schema.TIME_FORMS`.
    """

    us: int
    ns: int
    form: str


def microseconds(instant: datetime) -> int:
    """Return microseconds since 1970 of an aware datetime, without a float."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(value: Any, bounds: Bounds) -> Instant:
    """Return the instant of a JSON value (None, bool, Number, str, list or dict).

    Raises:
        TimeRefused: With the first reason that applies.
    """
    if value is None or value == "":
        raise TimeRefused("time_missing")
    if isinstance(value, Number):
        if not value.integral:
            raise TimeRefused("time_type")
        found = _of_digits(value)
    elif isinstance(value, str):
        found = _of_digits(value) if _DIGITS.fullmatch(value) else _of_text(value, bounds)
    else:
        raise TimeRefused("time_type")
    if found.us < EARLIEST_US or found.us + (found.ns > 0) > bounds.latest_us:
        raise TimeRefused("time_implausible")
    return found


def _of_digits(text: str) -> Instant:
    digits = text.lstrip("0")
    # Nineteen digits hold every window; int() is slow for very long texts.
    if not text.startswith("-") and len(digits) <= len(str(UNIX_HIGH * 10**9)):
        number = int(digits or "0")
        for form, per_second in UNITS.items():
            if UNIX_LOW * per_second <= number < UNIX_HIGH * per_second:
                us, ns = divmod(number * (10**9 // per_second), 1000)
                return Instant(us, ns, form)
    raise TimeRefused("time_unit")


def _of_text(text: str, bounds: Bounds) -> Instant:
    parts = _DATE_TIME.fullmatch(text)
    if parts is None:
        raise TimeRefused("time_format")
    year, month, day, hour, minute, second = (int(parts[n]) for n in range(1, 7))
    fraction = parts[7] or ""
    try:
        days = date(year, month, day).toordinal() - _EPOCH.toordinal()
    except ValueError:
        raise TimeRefused("time_format") from None
    offset_hour, offset_minute = int(parts[9] or 0), int(parts[10] or 0)
    if not _clock(hour, minute, second) or not _clock(offset_hour, offset_minute, 0) or fraction[9:].strip("0"):
        raise TimeRefused("time_format")
    zoned = _ZONE.search(text) is not None
    if not zoned and not bounds.naive_is_utc:
        raise TimeRefused("time_naive")
    east = (offset_hour * 3600 + offset_minute * 60) * (-1 if parts[8] == "-" else 1)
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - east
    us, ns = divmod(int(fraction[:9].ljust(9, "0")), 1000)
    return Instant(seconds * 1_000_000 + us, ns, "rfc3339" if zoned else "naive")


def _clock(hour: int, minute: int, second: int) -> bool:
    return hour < 24 and minute < 60 and second < 60  # noqa: PLR2004  # a leap second is refused
