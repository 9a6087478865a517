"""Events as OCSF 1.3.0 HTTP Activity (class 4002) with the profile security_control. Pure.

Sources: https://schema.ocsf.io/1.3.0/classes/http_activity and /profiles/security_control. Cloudflare publishes no
mapping, so what stands here is ours; docs/firewall_logs.md describes it. Raise MAPPING_VERSION with every change of it.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs import schema

OCSF_VERSION: Final = "1.3.0"
MAPPING_VERSION: Final = "1"

_CLASS: Final = 4002
_UNKNOWN, _OTHER = 0, 99
# PATCH is an activity of later versions only.
_ACTIVITIES: Final = {
    "CONNECT": (1, "Connect"),
    "DELETE": (2, "Delete"),
    "GET": (3, "Get"),
    "HEAD": (4, "Head"),
    "OPTIONS": (5, "Options"),
    "POST": (6, "Post"),
    "PUT": (7, "Put"),
    "TRACE": (8, "Trace"),
}


@dataclass(frozen=True)
class Outcome:
    """What a control did, in OCSF's terms.

    Attributes:
        action_id: 1 allowed, 2 denied, 0 not known.
        disposition_id: The outcome in detail.
    """

    action_id: int
    disposition_id: int


_ACTION_CAPTIONS: Final = {0: "Unknown", 1: "Allowed", 2: "Denied"}
_DISPOSITION_CAPTIONS: Final = {
    0: "Unknown",
    1: "Allowed",
    2: "Blocked",
    6: "Dropped",
    16: "No Action",
    17: "Logged",
    22: "Captcha",
    23: "Challenge",
}
_ALLOWED: Final = Outcome(1, 1)
_PASSED: Final = Outcome(1, 16)
_LOGGED: Final = Outcome(1, 17)
_BLOCKED: Final = Outcome(2, 2)
# Whether the client got on is only known from a later event of its own, which carries this one as originator.
_CAPTCHA: Final = Outcome(0, 22)
_CHALLENGE: Final = Outcome(0, 23)
_NOT_SAID: Final = Outcome(0, 0)
OUTCOMES: Final[dict[str, Outcome]] = {
    "unknown": _NOT_SAID,
    "allow": _ALLOWED,
    "log": _LOGGED,
    "skip": _PASSED,
    "bypass": _PASSED,
    "block": _BLOCKED,
    "connectionclose": Outcome(2, 6),
    "challenge": _CAPTCHA,
    "jschallenge": _CHALLENGE,
    "managedchallenge": _CHALLENGE,
    "precursorinterstitialpageissued": _CHALLENGE,
    "challengesolved": _ALLOWED,
    "jschallengesolved": _ALLOWED,
    "managedchallengenoninteractivesolved": _ALLOWED,
    "managedchallengeinteractivesolved": _ALLOWED,
    "precursorinterstitialpagesolved": _ALLOWED,
    # A visitor who has solved one before, or whom a rule spares it.
    "challengebypassed": _PASSED,
    "jschallengebypassed": _PASSED,
    "managedchallengebypassed": _PASSED,
    "precursorinterstitialpagebypassed": _PASSED,
    "managedchallengeskipped": _PASSED,
    "challengefailed": _BLOCKED,
    "jschallengefailed": _BLOCKED,
}

# What attributes of the class carry whole; `event_time` but for its last six digits, which `unmapped` has.
_CARRIED: Final = frozenset(
    {
        "client_asn",
        "client_asn_description",
        "client_ip",
        "client_referer_host",
        "client_referer_path",
        "client_referer_query",
        "client_referer_scheme",
        "client_request_path",
        "client_request_protocol",
        "client_request_query",
        "client_request_scheme",
        "client_request_user_agent",
        "description",
        "edge_response_status",
        "event_time",
        "ray_id",
        "ref",
        "rule_id",
        "source",
        "zone",
    }
)
_DERIVED: Final = frozenset({"event_hour", "ip_version", "path_template", "registered_domain"})
UNMAPPED: Final = tuple(name for name in schema.EVENTS if name not in _CARRIED | _DERIVED)
# Types hostname_t and, of ISO 3166-1, a country; Cloudflare's XX and T1 (Tor) are none.
_HOSTNAME: Final = (
    r"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])$"
)
_COUNTRY: Final = "^[A-Z]{2}$"
_PORT: Final = r":[0-9]*$"
_INTEGER: Final = pl.Int32()


def project(events: pl.DataFrame) -> pl.DataFrame:
    """Return events as OCSF events, by time.

    Args:
        events: Rows with the columns of `schema.EVENTS`.
    """
    order = ["event_time", "event_time_ns"]
    return events.sort(order, maintain_order=True, nulls_last=True).select(
        *_classification(),
        *_outcome(),
        _metadata().alias("metadata"),
        _source().alias("src_endpoint"),
        _destination().alias("dst_endpoint"),
        _request().alias("http_request"),
        # Required, with a code: where the source gives no status there is none, which 0 says.
        pl.struct(code=pl.col("edge_response_status").fill_null(0).cast(_INTEGER)).alias("http_response"),
        _rule().alias("firewall_rule"),
        pl.struct(UNMAPPED).alias("unmapped"),
    )


def _classification() -> list[pl.Expr]:
    method = pl.col("client_request_method")
    known = method.str.to_uppercase()
    ids = {name: number for name, (number, _) in _ACTIVITIES.items()}
    captions = {name: caption for name, (_, caption) in _ACTIVITIES.items()}
    absent = method.is_null() | (method == "")
    activity = (
        pl.when(absent).then(_UNKNOWN).otherwise(known.replace_strict(ids, default=_OTHER, return_dtype=_INTEGER))
    ).cast(_INTEGER)
    return [
        activity.alias("activity_id"),
        # Of 99 the name is the source's own.
        pl.when(absent)
        .then(pl.lit("Unknown"))
        .otherwise(known.replace_strict(captions, default=method, return_dtype=pl.String()))
        .alias("activity_name"),
        pl.lit(4, _INTEGER).alias("category_uid"),
        pl.lit("Network Activity").alias("category_name"),
        pl.lit(_CLASS, _INTEGER).alias("class_uid"),
        pl.lit("HTTP Activity").alias("class_name"),
        (activity.cast(pl.Int64()) + _CLASS * 100).alias("type_uid"),
        # Cloudflare judges none.
        pl.lit(_UNKNOWN, _INTEGER).alias("severity_id"),
        pl.col("event_time").dt.epoch("ms").alias("time"),
    ]


def _outcome() -> list[pl.Expr]:
    action = pl.col("action").str.to_lowercase()

    def of(values: dict[str, int], unlisted: int) -> pl.Expr:
        listed = action.replace_strict(values, default=unlisted, return_dtype=_INTEGER)
        return pl.when(action.is_null()).then(_UNKNOWN).otherwise(listed).cast(_INTEGER)

    action_id = of({name: outcome.action_id for name, outcome in OUTCOMES.items()}, _UNKNOWN)
    disposition_id = of({name: outcome.disposition_id for name, outcome in OUTCOMES.items()}, _OTHER)
    return [
        action_id.alias("action_id"),
        action_id.replace_strict(_ACTION_CAPTIONS, return_dtype=pl.String()).alias("action"),
        disposition_id.alias("disposition_id"),
        # Of 99 the name is the source's own.
        disposition_id.replace_strict(_DISPOSITION_CAPTIONS, default=pl.col("action"), return_dtype=pl.String()).alias(
            "disposition"
        ),
    ]


def _metadata() -> pl.Expr:
    return pl.struct(
        version=pl.lit(OCSF_VERSION),
        profiles=pl.lit(["security_control"], pl.List(pl.String())),
        product=pl.struct(vendor_name=pl.lit("Cloudflare"), name=pl.lit("Cloudflare Firewall")),
        log_name=pl.lit("firewall_events"),
        log_provider=pl.lit("Cloudflare Logpush"),
        # One request is several events, one for each rule that matched.
        correlation_uid=pl.col("ray_id"),
    )


def _source() -> pl.Expr:
    country = pl.col("client_country").str.to_uppercase()
    is_country = country.str.contains(_COUNTRY) & (country != "XX")
    number, name = pl.col("client_asn"), pl.col("client_asn_description")
    return _unless_empty(
        pl.col("client_ip").is_not_null(),
        ip=pl.col("client_ip"),
        location=_unless_empty(is_country, country=country),
        autonomous_system=_unless_empty(number.is_not_null() | name.is_not_null(), number=number, name=name),
    )


def _destination() -> pl.Expr:
    host = pl.col("client_request_host")
    return pl.struct(
        hostname=_hostname(),
        name=pl.when(_hostname().is_null()).then(host),
        svc_name=pl.col("zone"),
    )


def _request() -> pl.Expr:
    method = pl.col("client_request_method").str.to_uppercase()
    query = pl.col("client_request_query").str.strip_prefix("?")
    query = pl.when(query != "").then(query)
    scheme, path = pl.col("client_request_scheme"), pl.col("client_request_path")
    whole = pl.concat_str(
        scheme,
        pl.lit("://"),
        pl.col("client_request_host"),
        path.fill_null(""),
        pl.concat_str(pl.lit("?"), query).fill_null(""),
    )
    referrer = pl.concat_str(
        pl.concat_str(pl.col("client_referer_scheme"), pl.lit("://")).fill_null(""),
        *(pl.col(f"client_referer_{part}").fill_null("") for part in ("host", "path", "query")),
    )
    return pl.struct(
        uid=pl.col("ray_id"),
        http_method=pl.when(method.is_in(list(_ACTIVITIES))).then(method),
        version=pl.col("client_request_protocol"),
        user_agent=pl.col("client_request_user_agent"),
        referrer=pl.when(referrer != "").then(referrer),
        url=_unless_empty(
            whole.is_not_null() | path.is_not_null(),
            url_string=whole,
            scheme=scheme,
            hostname=_hostname(),
            path=path,
            query_string=query,
        ),
    )


def _rule() -> pl.Expr:
    uid, name = pl.col("rule_id"), pl.col("ref")
    return _unless_empty(
        uid.is_not_null() | name.is_not_null(),
        uid=uid,
        name=name,
        desc=pl.col("description"),
        type=pl.col("source"),
    )


def _hostname() -> pl.Expr:
    host = pl.col("client_request_host").str.replace(_PORT, "").str.strip_suffix(".")
    return pl.when(host.str.contains(_HOSTNAME)).then(host)


def _unless_empty(condition: pl.Expr, **fields: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.struct([value.alias(name) for name, value in fields.items()]))
