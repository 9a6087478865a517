"""The documented fields of `firewall_events` and the columns of the lake, as plain data.

Needs neither polars nor pyarrow, so that every function can import it. Fields in the order of Cloudflare's
account-scoped page (cloudflare-docs `logpush/logpush-job/datasets/account/firewall_events.md`, 14213af6).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

LakeType = Literal["string", "int64", "json", "strings", "int64s", "time"]


@dataclass(frozen=True)
class KnownValues:
    """Values an enumerated field is known to take, in lower case.

    Attributes:
        values: Documented ones, those older pages documented, and those seen in published samples.
        as_of: Date the list was last compared with its source.
        source: Where they are documented or were seen.
    """

    values: frozenset[str]
    as_of: date
    source: str


@dataclass(frozen=True)
class Field:
    """One documented field.

    Attributes:
        raw: Cloudflare's name.
        lake: Name of the column.
        type: Of the column: text, 64-bit integer, canonical JSON text, list of text, list of integers, or instant.
        low: Smallest value in range, of each element for a list; None for no limit.
        high: Largest value in range.
        known: Known values of an enumerated field.
    """

    raw: str
    lake: str
    type: LakeType = "string"
    low: int | None = None
    high: int | None = None
    known: KnownValues | None = None


_DOCS: Final = "cloudflare-docs, account/firewall_events.md 14213af6 and zone/firewall_events.md 0309c8be"


def _known(source: str, values: str) -> KnownValues:
    return KnownValues(frozenset(values.lower().split()), date(2026, 7, 15), source)


ACTIONS: Final = _known(
    f"{_DOCS}; skip: panther-labs/panther-analysis cloudflare_firewall_ddos.yml",
    """unknown allow block challenge jschallenge log connectionclose challengesolved challengebypassed
    jschallengesolved jschallengebypassed bypass managedchallenge managedchallengenoninteractivesolved
    managedchallengeinteractivesolved managedchallengebypassed precursorinterstitialpageissued
    precursorinterstitialpagebypassed precursorinterstitialpagesolved challengefailed jschallengefailed
    managedchallengeskipped skip""",
)
SOURCES: Final = _known(
    _DOCS,
    """unknown asn country ip iprange securitylevel zonelockdown waf firewallrules uablock ratelimit bic hot
    l7ddos validation botfight apishield botmanagement dlp firewallmanaged firewallcustom
    apishieldschemavalidation apishieldtokenvalidation apishieldsequencemitigation""",
)
IP_CLASSES: Final = _known(
    f"{_DOCS}; the second line: the page of 2020",
    """unknown badHost searchEngine allowlist monitoringService noRecord scan tor
    clean whitelist greylist securityScanner backupService mobilePlatform""",
)
LEAKED_CREDENTIALS: Final = _known(
    f"{_DOCS}; none: seen in practice",
    """password_leaked username_and_password_leaked username_password_similar username_leaked clean none""",
)

FIELDS: Final[tuple[Field, ...]] = (
    Field("AISecurityCustomTopicCategories", "ai_security_custom_topic_categories", "json"),
    Field("AISecurityInjectionScore", "ai_security_injection_score", "int64", low=0),
    Field("AISecurityPIICategories", "ai_security_pii_categories", "strings"),
    Field("AISecurityTokenCount", "ai_security_token_count", "int64", low=0),
    Field("AISecurityUnsafeTopicCategories", "ai_security_unsafe_topic_categories", "strings"),
    Field("Action", "action", known=ACTIONS),
    Field("ClientASN", "client_asn", "int64", low=0, high=4_294_967_295),  # 32 bits: RFC 6793
    Field("ClientASNDescription", "client_asn_description"),
    Field("ClientCountry", "client_country"),
    Field("ClientIP", "client_ip"),
    Field("ClientIPClass", "client_ip_class", known=IP_CLASSES),
    Field("ClientRefererHost", "client_referer_host"),
    Field("ClientRefererPath", "client_referer_path"),
    Field("ClientRefererQuery", "client_referer_query"),
    Field("ClientRefererScheme", "client_referer_scheme"),
    Field("ClientRequestHost", "client_request_host"),
    Field("ClientRequestMethod", "client_request_method"),
    Field("ClientRequestPath", "client_request_path"),
    Field("ClientRequestProtocol", "client_request_protocol"),
    Field("ClientRequestQuery", "client_request_query"),
    Field("ClientRequestScheme", "client_request_scheme"),
    Field("ClientRequestUserAgent", "client_request_user_agent"),
    Field("ContentScanObjResults", "content_scan_obj_results", "strings"),
    Field("ContentScanObjSizes", "content_scan_obj_sizes", "int64s", low=0),
    Field("ContentScanObjTypes", "content_scan_obj_types", "strings"),
    Field("Datetime", "event_time", "time"),
    Field("Description", "description"),
    Field("EdgeColoCode", "edge_colo_code"),
    Field("EdgeResponseStatus", "edge_response_status", "int64", low=0, high=999),
    Field("FirewallForAIInjectionScore", "firewall_for_ai_injection_score", "int64", low=0),
    Field("FirewallForAIPIICategories", "firewall_for_ai_pii_categories", "strings"),
    Field("FirewallForAITokenCount", "firewall_for_ai_token_count", "int64", low=0),
    Field("FirewallForAIUnsafeTopicCategories", "firewall_for_ai_unsafe_topic_categories", "strings"),
    Field("FraudUserID", "fraud_user_id"),
    Field("Kind", "kind"),
    Field("LeakedCredentialCheckResult", "leaked_credential_check_result", known=LEAKED_CREDENTIALS),
    Field("MatchIndex", "match_index", "int64", low=0),
    Field("Metadata", "metadata", "json"),
    Field("OriginResponseStatus", "origin_response_status", "int64", low=0, high=999),
    Field("OriginatorRayID", "originator_ray_id"),
    Field("RayID", "ray_id"),
    Field("Ref", "ref"),
    Field("RuleID", "rule_id"),
    Field("Source", "source", known=SOURCES),
    Field("ZoneName", "zone_name"),
)
FIELD_BY_RAW: Final = {field.raw: field for field in FIELDS}
TIME_FIELD: Final = "Datetime"
# Rows of http_requests have this key and no Datetime (cloudflare-docs, zone/http_requests.md).
FOREIGN_TIME_FIELD: Final = "EdgeStartTimestamp"

# Physical types in the parquet files: all text is UTF-8, `timestamp` is microseconds in UTC.
ColumnType = Literal["string", "binary", "int8", "int16", "int64", "timestamp", "list<string>", "list<int64>"]

_COLUMN_TYPES: Final[dict[LakeType, ColumnType]] = {
    "string": "string",
    "int64": "int64",
    "json": "string",
    "strings": "list<string>",
    "int64s": "list<int64>",
    "time": "timestamp",
}


def _field_columns() -> dict[str, ColumnType]:
    columns: dict[str, ColumnType] = {}
    for field in FIELDS:
        columns[field.lake] = _COLUMN_TYPES[field.type]
        if field.type == "time":
            columns["event_time_ns"] = "int16"
    return columns


EVENTS: Final[dict[str, ColumnType]] = {
    **_field_columns(),
    "event_hour": "int8",
    "registered_domain": "string",
    "ip_version": "int8",
    "path_template": "string",
    "feed": "string",
    "zone": "string",
    "extra": "string",
}
QUARANTINE: Final[dict[str, ColumnType]] = {
    "reason": "string",
    "field": "string",
    "row": "int64",
    "raw": "binary",
    "object_id": "string",
    "bucket": "string",
    "key": "string",
    "version_id": "string",
    "feed": "string",
}
HOURLY: Final[dict[str, ColumnType]] = {
    "event_hour": "int8",
    "client_request_host": "string",
    "action": "string",
    "source": "string",
    "rule_id": "string",
    "events": "int64",
}
# Beside the files of sealed days alone: where a Ray ID is, and whom a rule met.
RAYS: Final[dict[str, ColumnType]] = {
    "ray_id": "string",
    "client_request_host": "string",
    "event_hour": "int8",
}
ADDRESSES: Final[dict[str, ColumnType]] = {
    "rule_id": "string",
    "action": "string",
    "source": "string",
    "client_ip": "string",
    "events": "int64",
}
TABLES: Final[dict[str, dict[str, ColumnType]]] = {
    "events": EVENTS,
    "quarantine": QUARANTINE,
    "hourly": HOURLY,
    "rays": RAYS,
    "addresses": ADDRESSES,
}
# Names of the columns of each kind of file, in order: what a footer must say.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {kind: tuple(columns) for kind, columns in TABLES.items()}

# A row is quarantined for the first of these that applies.
ROW_REASONS: Final = (
    "not_utf8",
    "json_syntax",
    "not_object",
    "duplicate_key",
    "wrong_dataset",
    "time_missing",
    "time_type",
    "time_unit",
    "time_format",
    "time_naive",
    "time_implausible",
    "type_conflict",
    "out_of_range",
    "ip_invalid",
)
TIME_FORMS: Final = ("unix", "unixms", "unixus", "unixnano", "rfc3339", "naive", "native")
