"""PlanDigests' work: which calls add up the parts of which days, so that each fits its function, whatever the fleet."""

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from database_logs.contracts import DigestsPlan, PartsShard
from database_logs.locations import behind_part, parts_prefix
from database_logs.tallies import MOST_RANGES

if TYPE_CHECKING:
    from database_logs.adapters.lake import LakeReader

# The day before yesterday is made once more, with what came late; it comes first, as yesterday is compared with it.
_DAYS_BACK: Final = (2, 1)
# Parts of a shard, in bytes and by number: a call takes half a minute for them.
_SHARD_BYTES: Final = 256 << 20
_SHARD_PARTS: Final = 4_000
# Of a range, in bytes of the parts that it is of, as it is added up in memory: even if no statement is like another,
# that takes less than half of the function's.
_RANGE_BYTES: Final = 32 << 20


class DigestPlanner:
    """Plans digests."""

    def __init__(self, lake: "LakeReader") -> None:
        self._lake = lake

    def plan(self, today: date) -> DigestsPlan:
        """Plan the digests of the days before a day."""
        days = [today - timedelta(days=back) for back in _DAYS_BACK]
        return DigestsPlan(days=days, shards=[shard for day in days for shard in self._shards(day)])

    def _shards(self, day: date) -> Iterator[PartsShard]:
        parts = list(self._lake.sizes(parts_prefix(day)))
        wanted = math.ceil(sum(size for _, size in parts) / _RANGE_BYTES)
        ranges = min(1 << max(wanted - 1, 0).bit_length(), MOST_RANGES)
        after = ""
        for upto in [*_bounds(parts), None]:
            yield PartsShard(day=day, after=after, upto=upto, ranges=ranges)
            after = upto or after


def _bounds(parts: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yield where shards end, between segments: a part that a newer parser replaces meanwhile stays in its shard."""
    count = taken = 0
    for (key, size), (_, following) in pairwise(parts):
        count, taken = count + 1, taken + size
        if count == _SHARD_PARTS or taken + following > _SHARD_BYTES:
            yield behind_part(key)
            count = taken = 0
