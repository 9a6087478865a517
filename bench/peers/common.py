"""What every contender needs: the job's constants, kept apart from the pipeline's own, and the measuring.

A contender is a script: `<python> bench/peers/<name>.py <raw> <out>`. It writes

    <out>/events/event_date=YYYY-MM-DD/data.parquet
    <out>/hourly/event_date=YYYY-MM-DD/data.parquet
    <out>/quarantine/data.parquet

and prints one line of JSON: its counts, and what it took. Only standard modules are imported here.
"""

import hashlib
import json
import re
import resource
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEED = "47"
ZONE = "harbour.example"
BUCKET = "bench-raw"
KEY = "firewall_events/47/bench.parquet"
OBJECT_ID = hashlib.sha256(f"{BUCKET}/{KEY}".encode()).hexdigest()[:32]
LAST_MODIFIED = datetime(2026, 6, 3, tzinfo=UTC)
EARLIEST_NS = 1_262_304_000 * 10**9
LATEST_NS = (int(LAST_MODIFIED.timestamp()) + 86_400) * 10**9
UNIX_LOW, UNIX_HIGH = 946_684_800, 4_102_444_800
ROW_GROUP = 262_144
# the level ours writes with: a codec is not what is compared
ZSTD_LEVEL = 1

# raw name, lake name and type of the documented fields, in the order of Cloudflare's page
FIELDS = [
    ("AISecurityCustomTopicCategories", "ai_security_custom_topic_categories", "json"),
    ("AISecurityInjectionScore", "ai_security_injection_score", "int64"),
    ("AISecurityPIICategories", "ai_security_pii_categories", "strings"),
    ("AISecurityTokenCount", "ai_security_token_count", "int64"),
    ("AISecurityUnsafeTopicCategories", "ai_security_unsafe_topic_categories", "strings"),
    ("Action", "action", "string"),
    ("ClientASN", "client_asn", "int64"),
    ("ClientASNDescription", "client_asn_description", "string"),
    ("ClientCountry", "client_country", "string"),
    ("ClientIP", "client_ip", "string"),
    ("ClientIPClass", "client_ip_class", "string"),
    ("ClientRefererHost", "client_referer_host", "string"),
    ("ClientRefererPath", "client_referer_path", "string"),
    ("ClientRefererQuery", "client_referer_query", "string"),
    ("ClientRefererScheme", "client_referer_scheme", "string"),
    ("ClientRequestHost", "client_request_host", "string"),
    ("ClientRequestMethod", "client_request_method", "string"),
    ("ClientRequestPath", "client_request_path", "string"),
    ("ClientRequestProtocol", "client_request_protocol", "string"),
    ("ClientRequestQuery", "client_request_query", "string"),
    ("ClientRequestScheme", "client_request_scheme", "string"),
    ("ClientRequestUserAgent", "client_request_user_agent", "string"),
    ("ContentScanObjResults", "content_scan_obj_results", "strings"),
    ("ContentScanObjSizes", "content_scan_obj_sizes", "int64s"),
    ("ContentScanObjTypes", "content_scan_obj_types", "strings"),
    ("Datetime", "event_time", "time"),
    ("Description", "description", "string"),
    ("EdgeColoCode", "edge_colo_code", "string"),
    ("EdgeResponseStatus", "edge_response_status", "int64"),
    ("FirewallForAIInjectionScore", "firewall_for_ai_injection_score", "int64"),
    ("FirewallForAIPIICategories", "firewall_for_ai_pii_categories", "strings"),
    ("FirewallForAITokenCount", "firewall_for_ai_token_count", "int64"),
    ("FirewallForAIUnsafeTopicCategories", "firewall_for_ai_unsafe_topic_categories", "strings"),
    ("FraudUserID", "fraud_user_id", "string"),
    ("Kind", "kind", "string"),
    ("LeakedCredentialCheckResult", "leaked_credential_check_result", "string"),
    ("MatchIndex", "match_index", "int64"),
    ("Metadata", "metadata", "json"),
    ("OriginResponseStatus", "origin_response_status", "int64"),
    ("OriginatorRayID", "originator_ray_id", "string"),
    ("RayID", "ray_id", "string"),
    ("Ref", "ref", "string"),
    ("RuleID", "rule_id", "string"),
    ("Source", "source", "string"),
    ("ZoneName", "zone_name", "string"),
]
DERIVED = ["event_hour", "registered_domain", "ip_version", "path_template", "feed", "zone", "extra"]
HOURLY_KEYS = ["event_hour", "client_request_host", "action", "source", "rule_id"]
# range of the integer fields that the bench file has, in schema order
RANGES = [
    ("ClientASN", 4_294_967_295),
    ("EdgeResponseStatus", 999),
    ("MatchIndex", 2**63 - 1),
    ("OriginResponseStatus", 999),
]
ENUMS = {
    "Action": _words(
        """unknown allow block challenge jschallenge log connectionclose challengesolved
        challengebypassed jschallengesolved jschallengebypassed bypass managedchallenge
        managedchallengenoninteractivesolved managedchallengeinteractivesolved
        managedchallengebypassed precursorinterstitialpageissued precursorinterstitialpagebypassed
        precursorinterstitialpagesolved challengefailed jschallengefailed managedchallengeskipped
        skip"""
    ),
    "Source": _words(
        """unknown asn country ip iprange securitylevel zonelockdown waf firewallrules uablock
        ratelimit bic hot l7ddos validation botfight apishield botmanagement dlp firewallmanaged
        firewallcustom apishieldschemavalidation apishieldtokenvalidation
        apishieldsequencemitigation"""
    ),
    "ClientIPClass": _words(
        """unknown badhost searchengine allowlist monitoringservice norecord scan tor clean whitelist
        greylist securityscanner backupservice mobileplatform"""
    ),
    "LeakedCredentialCheckResult": _words(
        """password_leaked username_and_password_leaked username_password_similar username_leaked clean
        none"""
    ),
}

_SEGMENTS = [
    (re.compile(r"[0-9]+"), "{n}"),
    (re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "{uuid}"),
    (re.compile(r"[0-9a-fA-F]{16,}"), "{hex}"),
    (re.compile(r"(?=[^/]*[A-Za-z])(?=[^/]*[0-9])[A-Za-z0-9_-]{20,}"), "{token}"),
]
_VARIABLE = re.compile(r"[0-9]|[0-9a-fA-F]{16}")


def path_template(path: str) -> str:
    """Return the path with its variable segments named."""
    if not _VARIABLE.search(path):
        return path
    return "/".join(map(_segment, path.split("/")))


def _segment(segment: str) -> str:
    for pattern, name in _SEGMENTS:
        if pattern.fullmatch(segment):
            return name
    return segment


def ip_version(text: str) -> int | None:
    """Return 4 or 6, or None for what is no address."""
    for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return version
    return None


def registered_domain(suffixes: Any, host: str) -> str | None:
    """Return the registrable domain of a Host header by a `publicsuffixlist.PublicSuffixList`."""
    bare, colon, port = host.rpartition(":")
    name = (
        (bare if colon and (not port or port.isdigit()) and not host.endswith("]") else host).removesuffix(".").lower()
    )
    if name.startswith("[") or ip_version(name) or ip_version(host):
        return None
    found: str | None = suffixes.privatesuffix(name)
    return found


def canonical(text: str) -> str | None:
    """Return text that holds a JSON object in canonical form, other text as it is; None for an empty one."""
    if not text.startswith("{"):
        return text or None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return row_json(value)


def row_json(row: dict[str, Any]) -> str:
    """Return a row as canonical JSON."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def contend(work: Callable[[Path, Path], dict[str, Any]]) -> None:
    """Do the work that the command line asks for and print what it took.

    CPU seconds are those of the process and its threads around the work, so neither the interpreter's start nor the
    imports count. Memory is the process's high-water mark by the kernel (`ru_maxrss` would include the parent's).
    """
    raw, out = Path(sys.argv[1]), Path(sys.argv[2])
    before = _cpu()
    counts = work(raw, out)
    used = _cpu() - before
    files = sorted(path for path in out.rglob("*") if path.is_file())
    digests = {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    result = {
        **counts,
        "cpu_s": round(used, 3),
        "peak_rss_mb": round(_peak_mb(), 1),
        "output_mb": round(sum(path.stat().st_size for path in files) / 1e6, 2),
        "sha256": digests,
    }
    print(json.dumps(result))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
