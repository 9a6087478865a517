"""The rules of docs/firewall_logs.md once more: row by row, in plain Python, for comparison.

Written from the page and nothing else. It shares no code with functions/firewall_logs and knows no columns, no
batches and no dictionaries; what it lacks in speed it makes up in being easy to check against the page.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from typing import Any

from publicsuffixlist import PublicSuffixList


def _words(text: str) -> list[str]:
    return text.split()


STRINGS = _words("""
    Action ClientASNDescription ClientCountry ClientIP ClientIPClass ClientRefererHost ClientRefererPath
    ClientRefererQuery ClientRefererScheme ClientRequestHost ClientRequestMethod ClientRequestPath
    ClientRequestProtocol ClientRequestQuery ClientRequestScheme ClientRequestUserAgent Description EdgeColoCode
    FraudUserID Kind LeakedCredentialCheckResult OriginatorRayID RayID Ref RuleID Source ZoneName
""")
INTEGERS = _words("""
    AISecurityInjectionScore AISecurityTokenCount ClientASN EdgeResponseStatus FirewallForAIInjectionScore
    FirewallForAITokenCount MatchIndex OriginResponseStatus
""")
OBJECTS = ["AISecurityCustomTopicCategories", "Metadata"]
STRING_LISTS = _words("""
    AISecurityPIICategories AISecurityUnsafeTopicCategories ContentScanObjResults ContentScanObjTypes
    FirewallForAIPIICategories FirewallForAIUnsafeTopicCategories
""")
INTEGER_LISTS = ["ContentScanObjSizes"]
# Cloudflare's page has its fields in this order: by code point but for AISecurity…
SCHEMA_ORDER = sorted(
    [*STRINGS, *INTEGERS, *OBJECTS, *STRING_LISTS, *INTEGER_LISTS, "Datetime"],
    key=lambda name: (not name.startswith("AISecurity"), name),
)
LARGEST = {"EdgeResponseStatus": 999, "OriginResponseStatus": 999, "ClientASN": 4_294_967_295}
KNOWN = {
    "Action": _words("""unknown allow block challenge jschallenge log connectionclose challengesolved
        challengebypassed jschallengesolved jschallengebypassed bypass managedchallenge
        managedchallengenoninteractivesolved managedchallengeinteractivesolved managedchallengebypassed
        precursorinterstitialpageissued precursorinterstitialpagebypassed precursorinterstitialpagesolved
        challengefailed jschallengefailed managedchallengeskipped skip"""),
    "Source": _words("""unknown asn country ip iprange securitylevel zonelockdown waf firewallrules uablock ratelimit
        bic hot l7ddos validation botfight apishield botmanagement dlp firewallmanaged firewallcustom
        apishieldschemavalidation apishieldtokenvalidation apishieldsequencemitigation"""),
    "ClientIPClass": _words("""unknown badhost searchengine allowlist monitoringservice norecord scan tor clean
        whitelist greylist securityscanner backupservice mobileplatform"""),
    "LeakedCredentialCheckResult": _words("""password_leaked username_and_password_leaked
        username_password_similar username_leaked clean none"""),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIXES = PublicSuffixList()


class Refused(Exception):
    """A row fails a check: reason, and field where there is one."""


@dataclass(frozen=True)
class Num:
    """A JSON number, by its text."""

    text: str

    @property
    def integer(self) -> bool:
        return re.fullmatch(r"-?[0-9]+", self.text) is not None


@dataclass(frozen=True)
class Pairs:
    """A JSON object as it was written."""

    pairs: list[tuple[str, Any]]


@dataclass(frozen=True)
class Stamp:
    """A native parquet timestamp: nanoseconds since 1970, and whether it is adjusted to UTC."""

    ns: int
    utc: bool


@dataclass
class Expected:
    """What a slice must become."""

    events: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    hourly: dict[tuple[Any, ...], int] = field(default_factory=dict)
    rows_in: int = 0
    duplicates: int = 0
    blank_lines: int = 0
    columns_seen: set[str] = field(default_factory=set)
    unknown_columns: Counter[str] = field(default_factory=Counter)
    unseen_values: dict[str, Counter[str]] = field(default_factory=dict)
    time_forms: Counter[str] = field(default_factory=Counter)


def of_lines(data: bytes, *, last_modified: datetime, naive_times: str, feed: str, zone: str) -> Expected:
    """Return what the bytes of NDJSON become."""
    expected = Expected()
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    rows = []
    for row, line in enumerate(lines):
        if not line.strip(b" \t\r\x0b\x0c"):
            expected.blank_lines += 1
        else:
            rows.append((row, line, lambda line=line: _parsed(line, expected.columns_seen)))
    _fill(expected, rows, last_modified=last_modified, naive_times=naive_times, feed=feed, zone=zone)
    return expected


def of_rows(
    rows: list[dict[str, Any]],
    columns: Iterable[str],
    *,
    last_modified: datetime,
    naive_times: str,
    feed: str,
    zone: str,
) -> Expected:
    """Return what parquet rows become; values in the domain of JSON with Num and Stamp, raw texts not compared."""
    expected = Expected(columns_seen=set(columns))
    keys = set(columns)
    if "Datetime" not in keys and "EdgeStartTimestamp" in keys:

        def refuse() -> dict[str, Any]:
            raise Refused("wrong_dataset", None)

        judged = [(row, None, refuse) for row, _ in enumerate(rows)]
    else:
        judged = [(row, None, partial(dict, values)) for row, values in enumerate(rows)]
    _fill(expected, judged, last_modified=last_modified, naive_times=naive_times, feed=feed, zone=zone)
    return expected


def _fill(
    expected: Expected, rows: list[Any], *, last_modified: datetime, naive_times: str, feed: str, zone: str
) -> None:
    seen: set[str] = set()
    expected.rows_in = len(rows)
    for row, raw, parse in rows:
        try:
            values = parse()
            event, form = _judged(values, last_modified, naive_times)
        except Refused as refused:
            reason, name = refused.args
            expected.quarantine.append({"reason": reason, "field": name, "row": row, "raw": raw})
            continue
        expected.time_forms[form] += 1
        for key in json.loads(event["extra"] or "{}"):
            expected.unknown_columns[key] += 1
        for name, known in KNOWN.items():
            value = event[_snake(name)]
            if value is not None and value.lower() not in known:
                expected.unseen_values.setdefault(name, Counter())[value] += 1
        identity = repr(event)
        if identity in seen:
            expected.duplicates += 1
            continue
        seen.add(identity)
        event |= _derived(event, feed, zone) | {"row": row}
        expected.events.append(event)
        key = (
            event["event_date"],
            event["event_hour"],
            *(event[name] for name in ("client_request_host", "action", "source", "rule_id")),
        )
        expected.hourly[key] = expected.hourly.get(key, 0) + 1
    expected.events.sort(key=_position)


def _position(event: dict[str, Any]) -> Any:
    host = event["client_request_host"]
    return (
        event["event_date"],
        host is not None,
        (host or "").encode(),
        event["event_time"],
        event["event_time_ns"],
        event["row"],
    )


# ---------------------------------------------------------------- rows


def _parsed(line: bytes, columns_seen: set[str]) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not_utf8", None) from None
    try:
        value = _json(text)
    except ValueError:
        raise Refused("json_syntax", None) from None
    if not isinstance(value, Pairs):
        raise Refused("not_object", None)
    keys = [key for key, _ in value.pairs]
    columns_seen.update(keys)
    if len(keys) != len(set(keys)):
        raise Refused("duplicate_key", None)
    row = _plain(value)
    if "Datetime" not in row and "EdgeStartTimestamp" in row:
        raise Refused("wrong_dataset", None)
    return dict(row)


def _json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    value = json.loads(text, object_pairs_hook=Pairs, parse_int=Num, parse_float=Num, parse_constant=refuse)
    _encodable(value)
    return value


def _encodable(value: Any) -> None:
    """Raise ValueError for half a surrogate pair, which has no UTF-8."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list | tuple):
        for inner in value:
            _encodable(inner)
    elif isinstance(value, Pairs):
        _encodable(value.pairs)


def _plain(value: Any) -> Any:
    """Return a parsed value with dicts for objects."""
    if isinstance(value, Pairs):
        return {key: _plain(inner) for key, inner in value.pairs}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _judged(values: dict[str, Any], last_modified: datetime, naive_times: str) -> tuple[dict[str, Any], str]:
    us, ns, form = _time(values.get("Datetime"), last_modified, naive_times)
    event: dict[str, Any] = {}
    for name in SCHEMA_ORDER:
        if name == "Datetime":
            event["event_time"] = us
            event["event_time_ns"] = ns
            continue
        try:
            event[_snake(name)] = _typed(name, values.get(name))
        except Refused:
            raise Refused("type_conflict", name) from None
    for name in SCHEMA_ORDER:
        value = event.get(_snake(name))
        if name in INTEGERS and value is not None and not 0 <= value <= LARGEST.get(name, 2**63):
            raise Refused("out_of_range", name)
        if name in INTEGER_LISTS and any(size is not None and size < 0 for size in value or []):
            raise Refused("out_of_range", name)
    if event["client_ip"] is not None and _ip_version(event["client_ip"]) is None:
        raise Refused("ip_invalid", "ClientIP")
    unknown = {k: v for k, v in values.items() if k not in SCHEMA_ORDER and v is not None}
    event["extra"] = _canonical(unknown) if unknown else None
    return event, form


def _time(value: Any, last_modified: datetime, naive_times: str) -> tuple[int, int, str]:
    if value is None or value == "":
        raise Refused("time_missing", "Datetime")
    if isinstance(value, Stamp):
        total, form = value.ns, "native" if value.utc else "naive"
        if form == "naive" and naive_times != "utc":
            raise Refused("time_naive", "Datetime")
    elif isinstance(value, str) and not re.fullmatch("[0-9]+", value):
        total, form = _time_of_text(value, naive_times)
    elif isinstance(value, str) or (isinstance(value, Num) and value.integer):
        number = int(value if isinstance(value, str) else value.text)
        units = {"unix": 1, "unixms": 10**3, "unixus": 10**6, "unixnano": 10**9}
        for form, k in units.items():  # noqa: B007
            if 946_684_800 * k <= number < 4_102_444_800 * k:
                total = number * (10**9 // k)
                break
        else:
            raise Refused("time_unit", "Datetime")
    else:
        raise Refused("time_type", "Datetime")
    latest = (last_modified + timedelta(hours=24) - _EPOCH) // timedelta(microseconds=1) * 1000
    if not 1_262_304_000 * 10**9 <= total <= latest:
        raise Refused("time_implausible", "Datetime")
    return total // 1000, total % 1000, form


_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9})0*)?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):(?P<minutes>[0-5][0-9]))?"
)


def _time_of_text(text: str, naive_times: str) -> tuple[int, str]:
    match = _TIME.fullmatch(text)
    if match is None:
        raise Refused("time_format", "Datetime")
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['clock']}+00:00")
    except ValueError:
        raise Refused("time_format", "Datetime") from None
    if match["zone"] is None and naive_times != "utc":
        raise Refused("time_naive", "Datetime")
    east = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    seconds += east // timedelta(seconds=1) * (1 if match["sign"] == "-" else -1)
    total = seconds * 10**9 + int((match["fraction"] or "").ljust(9, "0"))
    return total, "naive" if match["zone"] is None else "rfc3339"


# ---------------------------------------------------------------- types


def _typed(name: str, value: Any) -> Any:
    if name in STRINGS:
        return _string(value)
    if name in INTEGERS:
        return _integer(value)
    if value is None or value == "":
        return None
    if name in OBJECTS:
        return _object(value)
    item = _string if name in STRING_LISTS else _integer
    return [item(inner) for inner in _array(value)]


def _object(value: Any) -> str:
    if isinstance(value, dict):
        return _canonical(value)
    if not isinstance(value, str):
        raise Refused
    try:
        inner = _plain(_json(value))
    except ValueError:
        return value
    return _canonical(inner) if isinstance(inner, dict) else value


def _array(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = _plain(_json(value))
        except ValueError:
            raise Refused from None
    if not isinstance(value, list):
        raise Refused
    return value


def _string(value: Any) -> str | None:
    if isinstance(value, Num):
        return value.text
    if value is None or isinstance(value, str):
        return value
    raise Refused


def _integer(value: Any) -> int | None:
    if value is None or value == "":
        return None
    text = value.text if isinstance(value, Num) else value
    if not isinstance(text, str) or not re.fullmatch("-?[0-9]+", text) or not -(2**63) <= int(text) < 2**63:
        raise Refused
    return int(text)


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, Num):
        if value.integer:
            return str(int(value.text))
        return json.dumps(float(value.text)) if math.isfinite(float(value.text)) else value.text
    return json.dumps(value, ensure_ascii=False)


def _snake(name: str) -> str:
    words = re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace("AIPII", "AI_PII"))
    return words.lower()


# ---------------------------------------------------------------- derived columns


def _derived(event: dict[str, Any], feed: str, zone: str) -> dict[str, Any]:
    moment = _EPOCH + timedelta(microseconds=event["event_time"])
    ip, host, path = (event[name] for name in ("client_ip", "client_request_host", "client_request_path"))
    return {
        "event_date": moment.date(),
        "event_hour": moment.hour,
        "registered_domain": None if host is None else _registered_domain(host),
        "ip_version": None if ip is None else _ip_version(ip),
        "path_template": None if path is None else "/".join(map(_segment, path.split("/"))),
        "feed": feed,
        "zone": zone,
    }


def _ip_version(text: str) -> int | None:
    try:
        return None if "%" in text else ip_address(text).version
    except ValueError:
        return None


def _registered_domain(host: str) -> str | None:
    name = re.sub(":[0-9]*$", "", host).removesuffix(".").lower()
    if _ip_version(host) or _ip_version(name) or name.startswith("["):
        return None
    return _SUFFIXES.privatesuffix(name)


def _segment(segment: str) -> str:
    if re.fullmatch("[0-9]+", segment):
        return "{n}"
    if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", segment):
        return "{uuid}"
    if re.fullmatch("[0-9a-fA-F]{16,}", segment):
        return "{hex}"
    token = re.fullmatch("[A-Za-z0-9_-]{20,}", segment)
    if token and re.search("[A-Za-z]", segment) and re.search("[0-9]", segment):
        return "{token}"
    return segment
