"""The questions in Polars."""

from datetime import date
from pathlib import Path

import polars as pl
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


def lake(asked: Asked) -> Answer:
    """Ask the sealed files."""
    day = pl.col("event_date") == date.fromisoformat(asked.day)
    if asked.question == "top_hosts":
        hourly = pl.scan_parquet(asked.hourly, hive_partitioning=True).filter(day, pl.col("action") == BLOCK)
        return _top(hourly.group_by("client_request_host").agg(n=pl.col("events").sum()), ["client_request_host"])
    if asked.question == "rule":
        met = pl.scan_parquet(asked.addresses, hive_partitioning=True).filter(day, pl.col("rule_id") == asked.rule)
        return _top(met.group_by("client_ip").agg(n=pl.col("events").sum()), ["client_ip"])
    host, hour, ray = pl.col("client_request_host"), pl.col("event_hour"), pl.col("ray_id") == asked.ray_id
    where = {
        "host_hour": (host == asked.host) & (hour == asked.hour),
        "address_day": pl.col("client_ip") == asked.address,
        "ray_id": ray,
        "path_pattern": (pl.col("registered_domain") == asked.domain) & (pl.col("path_template") == TEMPLATE),
    }[asked.question]
    if asked.question == "ray_id":
        rays = pl.scan_parquet(asked.rays, hive_partitioning=True).filter(day, ray)
        places = rays.select("client_request_host", "event_hour").collect().rows()
        where &= pl.any_horizontal(host.eq_missing(name) & (hour == at) for name, at in places)
    events = pl.scan_parquet(asked.events, hive_partitioning=True).filter(day, where)
    return _asking(asked.question, events.with_columns(instant=pl.col("event_time")))


def raw(asked: Asked) -> Answer:
    """Ask the raw object."""
    start, end = asked.span
    where = {
        "host_hour": pl.col("ClientRequestHost") == asked.host,
        "address_day": pl.col("ClientIP") == asked.address,
        "rule": pl.col("RuleID") == asked.rule,
        "ray_id": pl.col("RayID") == asked.ray_id,
        "top_hosts": pl.col("Action") == BLOCK,
        "path_pattern": pl.col("ClientRequestHost").str.contains(asked.domain_pattern)
        & pl.col("ClientRequestPath").str.contains(TEMPLATE_PATTERN),
    }[asked.question]
    instant = pl.from_epoch("Datetime", "ns").dt.replace_time_zone("UTC")
    rows = pl.scan_parquet(asked.raw).filter((instant >= start) & (instant < end), where)
    if asked.care:
        address = pl.col("ClientIP")
        rows = rows.filter(
            *(pl.col(name).is_null() | pl.col(name).is_between(0, high) for name, high in RANGES.items()),
            address.is_null() | address.str.contains(IPV4) | address.str.contains(IPV6),
        )
        rows = rows.select({"Datetime", *IDENTITY, *COLUMNS[asked.question]}).unique()
    return _asking(asked.question, rows.with_columns(instant=instant).rename(LAKE_NAMES, strict=False))


def warm(path: Path) -> None:
    """Read a file of a few rows once."""
    pl.DataFrame({"n": range(10), "text": [str(n) for n in range(10)]}).write_parquet(path)
    pl.scan_parquet(path).filter(pl.col("n") > 1).group_by("text").len().collect()


def _asking(question: str, events: pl.LazyFrame) -> Answer:
    names = [LAKE_NAMES[name] for name in COLUMNS[question]]
    if question in COUNTED:
        return _top(events.group_by(names).agg(n=pl.len()), names)
    return events.select(pl.col("instant").dt.epoch("us").alias("us"), *names).collect().rows()


def _top(counts: pl.LazyFrame, keys: list[str]) -> Answer:
    ordered = counts.sort(["n", *keys], descending=[True, *(False for _ in keys)])
    return ordered.head(TOP).select(*keys, "n").collect().rows()


if __name__ == "__main__":
    answer(lake, raw, warm)
