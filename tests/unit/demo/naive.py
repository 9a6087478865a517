"""The rules once more, in the plainest Python: a line goes in, a reason or an identity comes out. Slow, and obvious."""

import gzip
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

NS = 10**9
PUT_AT = int(datetime(2026, 6, 3, tzinfo=UTC).timestamp()) * NS
INTEGERS = ["ClientASN", "EdgeResponseStatus", "MatchIndex", "OriginResponseStatus"]
STATUS = ["EdgeResponseStatus", "OriginResponseStatus"]
LISTS: dict[str, type] = {"ContentScanObjResults": str, "ContentScanObjSizes": int, "ContentScanObjTypes": str}
STRINGS = [
    "Action",
    "ClientASNDescription",
    "ClientCountry",
    "ClientIP",
    "ClientIPClass",
    "ClientRefererHost",
    "ClientRefererPath",
    "ClientRefererQuery",
    "ClientRefererScheme",
    "ClientRequestHost",
    "ClientRequestMethod",
    "ClientRequestPath",
    "ClientRequestProtocol",
    "ClientRequestQuery",
    "ClientRequestScheme",
    "ClientRequestUserAgent",
    "Description",
    "EdgeColoCode",
    "FraudUserID",
    "Kind",
    "LeakedCredentialCheckResult",
    "OriginatorRayID",
    "RayID",
    "Ref",
    "RuleID",
    "Source",
    "ZoneName",
]
KNOWN = {"Datetime", "Metadata", *INTEGERS, *LISTS, *STRINGS}
# the values that the generator uses and Cloudflare documents
ACTIONS = {"allow", "block", "challenge", "challengesolved", "jschallenge", "jschallengesolved", "log", "skip"} | {
    "managedchallenge",
    "managedchallengenoninteractivesolved",
}
SOURCES = [
    "apishieldschemavalidation",
    "asn",
    "bic",
    "botmanagement",
    "country",
    "firewallcustom",
    "firewallmanaged",
    "hot",
    "iprange",
    "l7ddos",
    "ratelimit",
    "securitylevel",
    "uablock",
]
IP_CLASSES = ["allowlist", "badhost", "monitoringservice", "norecord", "scan", "searchengine", "tor", "unknown"]
ENUMS = {"Action": ACTIONS, "Source": set(SOURCES), "ClientIPClass": set(IP_CLASSES)}
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?", re.ASCII)


class Refused(Exception):
    """The row is bad; the argument is the reason."""


@dataclass
class Recount:
    rows_in: int = 0
    rows_out: int = 0
    duplicates: int = 0
    blank_lines: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    unknown_columns: Counter[str] = field(default_factory=Counter)
    unknown_values: dict[str, Counter[str]] = field(default_factory=dict)
    events: Counter[tuple[str, int, str]] = field(default_factory=Counter)


def recount(path: Path, format_: str, *, naive_allowed: bool) -> Recount:
    found = Recount()
    seen: set[str] = set()
    rows = _parquet_rows(path) if format_ == "parquet" else _lines(path)
    for position, raw in enumerate(rows):
        if isinstance(raw, bytes) and not raw.strip():
            found.blank_lines += 1
            continue
        found.rows_in += 1
        try:
            event = parse(raw) if isinstance(raw, bytes) else raw
            identity = judge(event, naive_allowed=naive_allowed)
        except Refused as refused:
            reason = str(refused)
            found.quarantined[reason] += 1
            found.bad_rows.append((position, reason))
            continue
        key = json.dumps(identity, sort_keys=True)
        if key in seen:
            found.duplicates += 1
            continue
        seen.add(key)
        _keep(found, identity)
    return found


def _keep(found: Recount, identity: dict[str, Any]) -> None:
    found.rows_out += 1
    found.unknown_columns.update(name for name in identity if name not in KNOWN)
    for name, known in ENUMS.items():
        if name in identity and identity[name].lower() not in known:
            found.unknown_values.setdefault(name, Counter())[identity[name]] += 1
    moment = datetime.fromtimestamp(identity["Datetime"] // NS, UTC)
    found.events[moment.date().isoformat(), moment.hour, identity["Action"]] += 1


def _lines(path: Path) -> Iterator[bytes]:
    yield from gzip.decompress(path.read_bytes()).removesuffix(b"\n").split(b"\n")


def _parquet_rows(path: Path) -> Iterator[Any]:
    read = duckdb.read_parquet(str(path))
    zoned = [name for name, kind in zip(read.columns, read.types, strict=True) if kind == "TIMESTAMP WITH TIME ZONE"]
    # zones need an extension; microseconds say the same
    shown = ", ".join(f'epoch_us("{name}") as "{name}"' if name in zoned else f'"{name}"' for name in read.columns)
    for row in read.project(shown).fetchall():
        yield dict(zip(read.columns, row, strict=True))


def parse(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Refused("not_utf8") from None
    doubled = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.append(len(dict(found)) != len(found))
        return dict(found)

    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        event = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except ValueError:
        raise Refused("json_syntax") from None
    if not isinstance(event, dict):
        raise Refused("not_object")
    if doubled[-1]:
        raise Refused("duplicate_key")
    return event


def judge(event: dict[str, Any], *, naive_allowed: bool) -> dict[str, Any]:
    if "Datetime" not in event and "EdgeStartTimestamp" in event:
        raise Refused("wrong_dataset")
    time = instant(event.get("Datetime"), naive_allowed=naive_allowed)
    if not 1_262_304_000 * NS <= time <= PUT_AT + 86_400 * NS:
        raise Refused("time_implausible")
    row: dict[str, Any] = {"Datetime": time}
    for name, value in event.items():
        if value is not None and name != "Datetime":
            row[name] = typed(name, value)
    row = {name: value for name, value in row.items() if value is not None}
    for name in INTEGERS:
        limit = 999 if name in STATUS else 2**32 - 1 if name == "ClientASN" else 2**63
        if name in row and not 0 <= row[name] <= limit:
            raise Refused("out_of_range")
    if "ClientIP" in row:
        try:
            ipaddress.ip_address(row["ClientIP"])
        except ValueError:
            raise Refused("ip_invalid") from None
    return row


def typed(name: str, value: Any) -> Any:
    if name in INTEGERS:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise Refused("type_conflict")
    elif name in STRINGS:
        if isinstance(value, bool | dict | list):
            raise Refused("type_conflict")
        value = str(value)
    elif name == "Metadata":
        if not isinstance(value, dict | str):
            raise Refused("type_conflict")
        value = json.loads(value) if isinstance(value, str) else value
    elif name in LISTS and (not isinstance(value, list) or any(type(each) is not LISTS[name] for each in value)):
        raise Refused("type_conflict")
    return value


def instant(value: Any, *, naive_allowed: bool) -> int:
    if value is None or value == "":
        raise Refused("time_missing")
    if isinstance(value, bool | float | dict | list):
        raise Refused("time_type")
    if isinstance(value, int) or re.fullmatch("[0-9]+", value):
        number = int(value)
        for unit in (1, 10**3, 10**6, 10**9):
            if 946_684_800 * unit <= number < 4_102_444_800 * unit:
                return number * (NS // unit)
        raise Refused("time_unit")
    return written(value, naive_allowed=naive_allowed)


def written(value: str, *, naive_allowed: bool) -> int:
    match = MOMENT.fullmatch(value)
    if not match:
        raise Refused("time_format")
    day, clock, fraction, zone = match.groups()
    fraction = fraction or ""
    if fraction[9:].strip("0"):
        raise Refused("time_format")
    try:
        local = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("time_format") from None
    if local.strftime("%H:%M:%S") != clock:
        raise Refused("time_format")
    if zone is None and not naive_allowed:
        raise Refused("time_naive")
    offset = timedelta()
    if zone not in {None, "Z", "z"}:
        hours, minutes = zone[1:].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if zone[0] == "-" else 1)
    return int((local - offset).timestamp()) * NS + int(fraction[:9].ljust(9, "0"))
