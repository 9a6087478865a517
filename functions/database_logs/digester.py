"""DigestQueries' work: the parts of a day to its digest and its report.

Both are made anew each time from all parts of the day, so that doing it again can only add what came late.
"""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import polars as pl

from database_logs import digest as digests
from database_logs.contracts import DigestMade
from database_logs.errors import LakeFileMissing
from database_logs.locations import digest_key, parts_prefix, report_key
from database_logs.reports.digest_page import HISTORY, INSTANCES, WEEK, render

if TYPE_CHECKING:
    from database_logs.adapters.digests import DigestStore
    from database_logs.adapters.lake import LakeReader

_THREADS: Final = 16
# Parts that are in memory at a time.
_AT_ONCE: Final = 512


class Digester:
    """Makes digests."""

    def __init__(self, lake: "LakeReader", store: "DigestStore") -> None:
        self._lake = lake
        self._store = store

    def digest(self, day: date) -> DigestMade:
        """Make the digest of a day and its report, and compare them with the digests of the week before."""
        keys = list(self._lake.keys(parts_prefix(day)))
        whole = self._whole(keys)
        history = self._history(day)
        made = digests.digest([whole.lazy()], history["fingerprint_id"])
        instances = (
            whole.group_by("instance_id")
            .agg(pl.col("calls", "query_time_sum").sum())
            .cast(INSTANCES)
            .sort("instance_id")
        )
        self._store.write(digest_key(day), _parquet(made), "application/vnd.apache.parquet")
        page = render(day, made, history, instances)
        self._store.write(report_key(day), page.encode(), "text/html; charset=utf-8")
        return DigestMade(
            day=day,
            parts=len(keys),
            statements=made.height,
            new=int(made["is_new"].sum()) if history.height else 0,
            calls=int(made["calls"].sum()),
            digest_key=digest_key(day),
            report_key=report_key(day),
        )

    def _whole(self, keys: Sequence[str]) -> pl.DataFrame:
        """Add all parts up, some at a time, in the order of their keys."""
        whole = digests.PART.to_frame()
        remaining = iter(keys)
        with ThreadPoolExecutor(_THREADS) as threads:
            while batch := list(islice(remaining, _AT_ONCE)):
                parts = [part for part in threads.map(self._part, batch) if part is not None]
                whole = digests.merge([whole.lazy(), *(part.lazy() for part in parts)]).collect()
        return whole

    def _part(self, key: str) -> pl.DataFrame | None:
        try:
            return pl.read_parquet(io.BytesIO(self._lake.read(key)))
        except LakeFileMissing:
            # A newer parser has replaced it since it was listed; the next digest has the new one.
            return None

    def _history(self, day: date) -> pl.DataFrame:
        return pl.concat([HISTORY.to_frame(), *self._earlier(day)])

    def _earlier(self, day: date) -> Iterator[pl.DataFrame]:
        for back in range(1, WEEK + 1):
            earlier = day - timedelta(days=back)
            body = self._store.read(digest_key(earlier))
            if body is not None:
                columns = [name for name in HISTORY if name != "day"]
                found = pl.read_parquet(io.BytesIO(body), columns=columns)
                yield found.select(pl.lit(earlier).alias("day"), *columns)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
