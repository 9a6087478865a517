"""Ways to spoil one NDJSON line, by the reason for which it must be refused.

Each takes a sound event and returns the bytes of a line that fails the check of its reason and none before it.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

Event = dict[str, Any]
Spoil = Callable[[Event, Random], bytes]


def line(event: Event) -> bytes:
    """Return the event as one line of compact JSON."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _replaced(field: str, *values: object) -> Spoil:
    return lambda event, random: line({**event, field: random.choice(values)})


def _not_utf8(event: Event, random: Random) -> bytes:
    broken = random.choice((b"Gr\xf6\xdfe", b"\xc3(", b"\xed\xa0\x80", b"\xff\xfe"))
    return line({**event, "ClientRequestUserAgent": "@@"}).replace(b"@@", broken)


def _json_syntax(event: Event, random: Random) -> bytes:
    whole = line(event)
    marked = line({**event, "ClientRequestUserAgent": "@@"})
    return random.choice(
        (
            whole[: random.randrange(20, len(whole) - 1)],
            whole[:-1] + b",}",
            whole + b"}",
            whole + whole,
            whole.replace(b'"', b"'"),
            marked.replace(b"@@", b"a\x00b"),
            marked.replace(b"@@", b"tab\there"),
            marked.replace(b"@@", b"\\x41"),
            line({**event, "ClientASN": "@@"}).replace(b'"@@"', b"NaN"),
            line({**event, "ClientASN": "@@"}).replace(b'"@@"', b"013335"),
            b"2026-06-01 upload failed, retrying",
        )
    )


def _not_object(event: Event, random: Random) -> bytes:
    return random.choice((b"[" + line(event) + b"]", b"null", b"42", b'"' + event["RayID"].encode() + b'"', b"[]"))


def _duplicate_key(event: Event, random: Random) -> bytes:
    field = random.choice(("Action", "ClientIP", "Datetime", "RayID"))
    again = line({field: event[field]})
    return line(event)[:-1] + b"," + again[1:]


def _wrong_dataset(event: Event, _: Random) -> bytes:
    kept = ("RayID", "ClientIP", "ClientASN", "ClientRequestHost", "ClientRequestMethod", "EdgeResponseStatus")
    request = {name: event[name] for name in kept}
    stamps = {"EdgeStartTimestamp": event["Datetime"], "EdgeEndTimestamp": event["Datetime"]}
    return line({**request, **stamps, "ClientRequestURI": event["ClientRequestPath"], "SecurityAction": ""})


def _time_missing(event: Event, random: Random) -> bytes:
    absent = {name: value for name, value in event.items() if name != "Datetime"}
    return line(random.choice((absent, {**event, "Datetime": None}, {**event, "Datetime": ""})))


def _type_conflict(event: Event, random: Random) -> bytes:
    field, value = random.choice(
        (
            ("Action", True),
            ("ClientIP", {"address": "192.0.2.1"}),
            ("ClientRequestHost", ["www.example"]),
            ("ClientASN", 13335.5),
            ("ClientASN", 13335.0),
            ("ClientASN", "AS13335"),
            ("ClientASN", 2**63),
            ("EdgeResponseStatus", "4 03"),
            ("EdgeResponseStatus", False),
            ("MatchIndex", "+1"),
            ("MatchIndex", [0]),
            ("Metadata", 5),
            ("Metadata", ["dos-source"]),
            ("Metadata", True),
            ("ContentScanObjSizes", ["large"]),
            ("ContentScanObjSizes", {"0": 1}),
            ("ContentScanObjResults", "clean"),
        )
    )
    return line({**event, field: value})


def _out_of_range(event: Event, random: Random) -> bytes:
    field, value = random.choice(
        (
            ("EdgeResponseStatus", 1000),
            ("EdgeResponseStatus", "-1"),
            ("OriginResponseStatus", 65_536),
            ("ClientASN", 4_294_967_296),
            ("ClientASN", -1),
            ("MatchIndex", -1),
        )
    )
    return line({**event, field: value})


SPOILS: Final[dict[str, Spoil]] = {
    "not_utf8": _not_utf8,
    "json_syntax": _json_syntax,
    "not_object": _not_object,
    "duplicate_key": _duplicate_key,
    "wrong_dataset": _wrong_dataset,
    "time_missing": _time_missing,
    "time_type": _replaced("Datetime", *(True, 1_780_300_000.0, 1.7803e18, {"s": 1_780_300_000}, [1_780_300_000])),
    "time_unit": _replaced("Datetime", 0, -1, 123_456, "60", 10**30, 4_102_444_800),
    "time_format": _replaced(
        "Datetime",
        "yesterday",
        "01/06/2026 10:00:00",
        "2026-06-31T00:00:00Z",
        "2026-06-01T23:59:60Z",
        "2026-06-01T24:00:00Z",
        "2026-06-01T10:00:00.0000000001Z",
        "2026-06-01T10:00:00+25:00",
        "2026-6-1T10:00:00Z",
        "-1780300000",
    ),
    "time_naive": _replaced("Datetime", "2026-06-01 10:00:00", "2026-06-02T10:00:00.250"),
    "time_implausible": _replaced(
        "Datetime", "2098-01-01T00:00:00Z", "2009-12-31T23:59:59.999999999Z", 4_070_908_800, 1_262_303_999_999
    ),
    "type_conflict": _type_conflict,
    "out_of_range": _out_of_range,
    "ip_invalid": _replaced("ClientIP", "256.1.1.1", "198.51.100", "198.51.100.7:443", "2001:db8:::1", "unknown"),
}
