"""Digests as digest_queries makes them, and of parts that are at hand."""

from datetime import datetime
from typing import Any

import polars as pl

from database_logs.handlers import digest_queries, merge_parts, plan_digests
from database_logs.ranking import ranked, unranked
from database_logs.tallies import Tally, merge
from tests.support.context import Context


def digest(parts: list[pl.DataFrame], known: pl.Series) -> pl.DataFrame:
    """Return the digest of parts: columns of `ranking.DIGEST`."""
    return ranked(unranked(merge([Tally.of_part(part) for part in parts])), known)


def make_digests(at: datetime) -> list[Any]:
    """Make digests as the state machine does, one state after the other, on the day after the last."""
    plan = plan_digests.handler({"time": at.isoformat()}, Context())
    merged = [merge_parts.handler(shard, Context()) for shard in plan["shards"]]
    made: list[Any] = digest_queries.handler({"days": plan["days"], "merged": merged}, Context())["digests"]
    return made
