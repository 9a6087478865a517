"""A long range of a file, read by several portions that are under way at once.

An answer takes its time however little the account asks, so one reader of a file does not get near the rate that all
share. Markers that are built lead to any byte: the range is cut into lanes, each of which reads on into the next one.
Where two do not agree byte for byte, or one does not get through, what is good in front is kept, and the rest is read
by one portion at a time, which knows what to do about each trap.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from database_logs.collection.portions import MOST_BYTES, Bytes, PortionSource
from database_logs.collection.positions import TAIL_BYTES, tail_of
from database_logs.errors import ApiThrottled, CharacterCut, PortionUnreadable, SeamBroken

# What a portion loses at its end, where a line is cut, and gives again at its beginning, the seam: a part of it.
_SLACK: Final = 64
# Of a lane; in fewer, what is read twice and asked for in vain at the seams outweighs what is won.
_LEAST_PORTIONS: Final = 2
_CHARACTER_BYTES: Final = 4  # at most, RFC 3629


@dataclass(frozen=True)
class _Lane:
    """What a lane gave: bytes from `begin` on."""

    begin: int
    found: Bytes

    @property
    def end(self) -> int:
        return self.begin + len(self.found.data)


class LaneSource:
    """Reads as PortionSource does, and faster where there is much.

    Args:
        source: Reads by one portion at a time.
        lanes: How many portions are under way at once, at most.
        size: Of the file, as it is listed: what may be behind it is read by one.
    """

    def __init__(self, source: PortionSource, lanes: int, size: int) -> None:
        self._source = source
        self._lanes = lanes
        self._size = size

    def read(self, start: int, target: int, before: bytes = b"") -> Bytes:
        """Return bytes `start` to `target`, fewer if the file has no more, no time is left, or RDS throttles.

        Memory: twice the range, and a few megabytes for each lane.

        Raises:
            FileChanged, SeamBroken, PortionUnreadable, ApiThrottled: As PortionSource.
        """
        begins = self._begins(start, min(target, self._size))
        if len(begins) < 2:  # noqa: PLR2004 - one lane is none
            return self._source.read(start, target, before)
        data = self._side_by_side(begins, min(target, self._size), before)
        rest = start + len(data)
        if rest >= target:
            return Bytes(bytes(data), at_end=False)
        try:
            found = self._source.read(rest, target, tail_of(before + data[-TAIL_BYTES:]))
        except ApiThrottled as throttled:
            return Bytes(bytes(data), at_end=False, stopped=throttled)
        data += found.data
        return Bytes(bytes(data), found.at_end, found.stopped)

    def _begins(self, start: int, end: int) -> list[int]:
        """Return where lanes begin: each has the same number of portions, but the last."""
        share = MOST_BYTES - MOST_BYTES // _SLACK
        portions = -(-(end - start) // share)
        lanes = min(self._lanes, portions // _LEAST_PORTIONS)
        return list(range(start, end, -(-portions // lanes) * share)) if lanes else []

    def _side_by_side(self, begins: list[int], end: int, before: bytes) -> bytearray:
        """Return what the lanes give up to where they first do not agree."""
        sources = [self._source.fork() for _ in begins]
        with ThreadPoolExecutor(len(begins)) as threads:
            reading = [
                threads.submit(_read, source, begin, following + TAIL_BYTES, before if begin == begins[0] else b"")
                for source, (begin, following) in zip(sources, pairwise([*begins, end - TAIL_BYTES]), strict=True)
            ]
        for source in sources:
            self._source.statistics.add(source.statistics)
        data = bytearray(reading[0].result().found.data)
        for lane in map(_result, reading[1:]):
            overlap = None if lane is None else begins[0] + len(data) - lane.begin
            # The last bytes of the lane before are the first ones of this, or one of both is not to be trusted.
            if lane is None or overlap is None or not 0 < overlap <= len(lane.found.data):
                break
            if data[-overlap:] != lane.found.data[:overlap]:
                break
            data += memoryview(lane.found.data)[overlap:]
        if begins[0] + len(data) < end:
            self._lanes = 1
        return data


def _read(source: PortionSource, begin: int, target: int, before: bytes) -> _Lane:
    """Read a lane from the first whole character on."""
    for shift in range(_CHARACTER_BYTES - 1):
        try:
            return _Lane(begin + shift, source.read(begin + shift, target, before))
        except CharacterCut:
            continue
    begin += _CHARACTER_BYTES - 1
    return _Lane(begin, source.read(begin, target, before))


def _result(reading: Future[_Lane]) -> _Lane | None:
    try:
        return reading.result()
    except (PortionUnreadable, SeamBroken, ApiThrottled):
        return None
