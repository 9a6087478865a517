"""DigestQueries' work: what the parts of a day come to, to its digest and its report.

Both are made anew each time from all parts of the day, so that doing it again can only add what came late. One range of
fingerprints is in memory at a time, and of all ranges the statements that took most time.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from database_logs.contracts import DigestDays, DigestMade, DigestsMade, PartsMerged
from database_logs.locations import digest_key, merged_key, report_key
from database_logs.ranking import UNRANKED, first, ranked, unranked
from database_logs.reports.digest_page import HISTORY, INSTANCES, WEEK, render
from database_logs.tallies import Tally, added, merge

if TYPE_CHECKING:
    from database_logs.adapters.digests import DigestStore
    from database_logs.adapters.lake import LakeReader

_THREADS: Final = 16
# Statements of a digest. A fleet of 316 instances has some hundred each; what writes numbers into names of tables has
# more, and is not to take the memory of all others.
_MOST: Final = 50_000


class Digester:
    """Makes digests."""

    def __init__(self, lake: "LakeReader", store: "DigestStore") -> None:
        self._lake = lake
        self._store = store

    def digests(self, wanted: DigestDays) -> DigestsMade:
        """Make the digests of some days and their reports.

        Raises:
            LakeFileMissing: What the parts came to has expired.
        """
        return DigestsMade(
            digests=[self._digest(day, [one for one in wanted.merged if one.day == day]) for day in wanted.days]
        )

    def _digest(self, day: date, merged: Sequence[PartsMerged]) -> DigestMade:
        """Make the digest of a day and its report, and compare them with the digests of the week before."""
        rows, instances = self._whole(merged)
        history = self._history(day)
        made = ranked(rows, history["fingerprint_id"])
        self._store.write(digest_key(day), _parquet(made))
        page = render(day, made, history, instances)
        self._store.write(report_key(day), page.encode(), "text/html; charset=utf-8")
        return DigestMade(
            day=day,
            parts=sum(one.parts for one in merged),
            statements=made.height,
            new=int(made["is_new"].sum()) if history.height else 0,
            calls=int(made["calls"].sum()),
            digest_key=digest_key(day),
            report_key=report_key(day),
        )

    def _whole(self, merged: Sequence[PartsMerged]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the statements of a day, not ranked yet, and its instances: columns of UNRANKED and INSTANCES."""
        rows, instances = UNRANKED.to_frame(), INSTANCES.to_frame()
        with ThreadPoolExecutor(_THREADS) as threads:
            for number in range(merged[0].ranges):
                keys = [merged_key(one.day, folder, number) for one in merged for folder in one.folders]
                found, spent = _of_range(threads.map(self._lake.read, keys))
                rows = first(pl.concat([rows, found]), _MOST)
                instances = added(pl.concat([instances, spent]), ["instance_id"])
        return rows, instances

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


def _of_range(bodies: Iterable[bytes]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the statements of a range that may be of the digest's, and its instances."""
    tally = merge([Tally.read(body) for body in bodies])
    spent = added(tally.instances.select(INSTANCES.names()), ["instance_id"])
    # Texts that are left out stay in memory as long as others are used that were read with them.
    rows = first(unranked(tally), _MOST)
    return pl.read_parquet(io.BytesIO(_parquet(rows))), spent


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
