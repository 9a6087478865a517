"""The questions in DuckDB."""

# ruff: noqa: S608 - statements are put together from this file's own words; what is asked for are parameters

import re
from pathlib import Path
from typing import Any

import duckdb
from query_common import (
    BLOCK,
    COLUMNS,
    COUNTED,
    IDENTITY,
    IPV4,
    IPV6,
    LAKE_NAMES,
    RANGES,
    TEMPLATE,
    TEMPLATE_PATTERN,
    TOP,
    Answer,
    Asked,
    answer,
)

# One thread; and files are read as objects are: in the ranges that are needed, put together.
_CONNECTION = duckdb.connect(config={"threads": 1})
_CONNECTION.execute("SET prefetch_all_parquet_files = true")

# As the named query one-ray-id has it.
_ONE_RAY = """
    SELECT events.*, events.event_time AS instant
    FROM read_parquet($events, hive_partitioning = true) AS events
    RIGHT JOIN read_parquet($rays, hive_partitioning = true) AS rays
      ON events.event_date = rays.event_date
     AND events.client_request_host = rays.client_request_host
     AND events.event_hour = rays.event_hour
     AND events.ray_id = rays.ray_id
    WHERE rays.event_date = $day::DATE AND rays.ray_id = $ray_id
"""
_LAKE_WHERE = {
    "host_hour": "client_request_host = $host AND event_hour = $hour",
    "address_day": "client_ip = $address",
    "path_pattern": "registered_domain = $domain AND path_template = $template",
}
_RAW_WHERE = {
    "host_hour": "ClientRequestHost = $host",
    "address_day": "ClientIP = $address",
    "rule": "RuleID = $rule",
    "ray_id": "RayID = $ray_id",
    "top_hosts": "Action = $block",
    "path_pattern": (
        "regexp_matches(ClientRequestHost, $domain_pattern) AND regexp_matches(ClientRequestPath, $pattern)"
    ),
}


def lake(asked: Asked) -> Answer:
    """Ask the sealed files."""
    if asked.question == "top_hosts":
        return _rows(
            "SELECT client_request_host, sum(events)::BIGINT AS events FROM read_parquet($hourly, hive_partitioning = "
            "true) WHERE event_date = $day::DATE AND action = $block GROUP BY ALL ORDER BY events DESC, "
            "client_request_host LIMIT $top",
            asked,
        )
    if asked.question == "rule":
        return _rows(
            "SELECT client_ip, sum(events)::BIGINT AS events FROM read_parquet($addresses, hive_partitioning = true) "
            "WHERE event_date = $day::DATE AND rule_id = $rule GROUP BY ALL ORDER BY events DESC, client_ip LIMIT $top",
            asked,
        )
    if asked.question == "ray_id":
        return _rows(_asking("ray_id", f"({_ONE_RAY})"), asked)
    events = (
        "(SELECT *, event_time AS instant FROM read_parquet($events, hive_partitioning = true) "
        f"WHERE event_date = $day::DATE AND {_LAKE_WHERE[asked.question]})"
    )
    return _rows(_asking(asked.question, events), asked)


def raw(asked: Asked) -> Answer:
    """Ask the raw object."""
    wanted = {name: LAKE_NAMES[name] for name in COLUMNS[asked.question]} | (IDENTITY if asked.care else {})
    columns = ", ".join(f"{name} AS {known}" for name, known in wanted.items())
    where = f"instant >= $start AND instant < $end AND {_RAW_WHERE[asked.question]}"
    if asked.care:
        where += "".join(f" AND ({name} IS NULL OR {name} BETWEEN 0 AND {high})" for name, high in RANGES.items())
        where += " AND (ClientIP IS NULL OR regexp_matches(ClientIP, $ipv4) OR regexp_matches(ClientIP, $ipv6))"
    events = (
        f"(SELECT {'DISTINCT' if asked.care else ''} {columns}, instant FROM "
        f"(SELECT *, make_timestamp_ns(Datetime) AS instant FROM read_parquet($raw)) WHERE {where})"
    )
    return _rows(_asking(asked.question, events), asked)


def warm(path: Path) -> None:
    """Read a file of a few rows once."""
    _CONNECTION.execute(f"COPY (SELECT range AS n, range::VARCHAR AS text FROM range(10)) TO '{path}' (FORMAT parquet)")
    _CONNECTION.execute("SELECT text, count(*) FROM read_parquet($path) GROUP BY 1", {"path": str(path)}).fetchall()


def _asking(question: str, events: str) -> str:
    names = ", ".join(LAKE_NAMES[name] for name in COLUMNS[question])
    if question in COUNTED:
        return f"SELECT {names}, count(*) AS n FROM {events} GROUP BY ALL ORDER BY n DESC, {names} LIMIT $top"
    return f"SELECT epoch_ns(instant) // 1000 AS us, {names} FROM {events}"


def _rows(sql: str, asked: Asked) -> Answer:
    start, end = asked.span
    given: dict[str, Any] = {
        "events": asked.events,
        "hourly": asked.hourly,
        "rays": asked.rays,
        "addresses": asked.addresses,
        "raw": str(asked.raw),
        "day": asked.day,
        "start": start.replace(tzinfo=None),
        "end": end.replace(tzinfo=None),
        "host": asked.host,
        "hour": asked.hour,
        "address": asked.address,
        "rule": asked.rule,
        "ray_id": asked.ray_id,
        "domain": asked.domain,
        "domain_pattern": asked.domain_pattern,
        "template": TEMPLATE,
        "pattern": TEMPLATE_PATTERN,
        "ipv4": IPV4,
        "ipv6": IPV6,
        "block": BLOCK,
        "top": TOP,
    }
    used = {name: value for name, value in given.items() if re.search(rf"\${name}\b", sql)}
    return _CONNECTION.execute(sql, used).fetchall()


if __name__ == "__main__":
    answer(lake, raw, warm)
