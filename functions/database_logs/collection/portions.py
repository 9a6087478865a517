"""Bytes of a file through DownloadDBLogFilePortion, exactly as they are in the file, or not at all.

RDS cuts a portion inside a line once it has a megabyte, appends a notice, and its marker skips the rest of the line; it
now and then repeats a fragment, says that nothing is left while there is, or answers nothing. So a marker is never
followed: the next one is built from the bytes that are whole, and a portion counts only if its bytes are as many as its
marker has moved. What fails this several times does not come through portions (CR LF is given as LF, bytes that XML
cannot carry as U+FFFD), and is an error that asks for the complete file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from database_logs.collection.markers import FIRST, build, hour_id, hour_of, parse
from database_logs.collection.positions import TAIL_BYTES, tail_of
from database_logs.errors import ApiThrottled, CharacterCut, FileChanged, PortionUnreadable, SeamBroken

NOTICE: Final = b" [Your log message was truncated]"
MOST_BYTES: Final = 1_048_576
MOST_LINES: Final = 10_000
# honeycombio/rdslogs and rdstail ask again as often before they give up.
_ATTEMPTS: Final = 4
_REPLACEMENT: Final = "\ufffd".encode()


@dataclass(frozen=True)
class Portion:
    """An answer.

    Attributes:
        data: LogFileData as UTF-8.
        marker: Marker; None or empty in some answers amid a rotation.
    """

    data: bytes
    marker: str | None


@dataclass(frozen=True)
class Bytes:
    """What was read from where it was asked.

    Attributes:
        data: As in the file.
        at_end: The file has no more, as far as was seen.
        stopped: Why no more was asked for, if it is neither the end nor a lack of time.
    """

    data: bytes
    at_end: bool
    stopped: ApiThrottled | None = None


@dataclass
class Statistics:
    """What became of portions, for metrics."""

    portions: int = 0
    truncations: int = 0
    repeated: int = 0

    def add(self, other: "Statistics") -> None:
        """Count what another counted."""
        self.portions += other.portions
        self.truncations += other.truncations
        self.repeated += other.repeated


def without_notice(data: bytes) -> bytes | None:
    """Return a cut portion without its notice; None if it has none. The text can stand inside a line, too."""
    trimmed = data.rstrip(b"\r\n")
    return trimmed[: -len(NOTICE)].removesuffix(b"\n") if trimmed.endswith(b"\n" + NOTICE) else None


def _whole(data: bytes, seam: int, position: int) -> bytes:
    """Return the whole lines of a portion whose last line is not.

    A character that RDS replaces may only be one that the end of the portion cuts: of what is in front the number of
    bytes may be right by chance and the bytes are not.
    """
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) <= seam:
        raise PortionUnreadable(f"The line at byte {position + seam} is longer than a portion may be, or is no text.")
    if _REPLACEMENT in whole:
        raise PortionUnreadable(f"RDS has replaced bytes at {position} or behind that are no text.")
    return whole


class PortionSource:
    """Reads a file by its name at any offset.

    Args:
        ask: Downloads a portion from a marker, of at most so many lines.
        now: The time.
        hour: Of a live file that is renamed by the hour: another one in a returned marker means another file.
        statistics: Counted up.
        is_late: Whether no time is left to ask for more.
    """

    def __init__(
        self,
        ask: Callable[[str, int], Portion],
        now: Callable[[], datetime],
        hour: datetime | None,
        statistics: Statistics,
        is_late: Callable[[], bool],
    ) -> None:
        self._ask = ask
        self._now = now
        self._hour = hour
        self.statistics = statistics
        self._is_late = is_late
        self._dated: bool | None = None

    def fork(self) -> "PortionSource":
        """Return a source of the same file that may read at the same time, with statistics of its own."""
        forked = PortionSource(self._ask, self._now, self._hour, Statistics(), self._is_late)
        forked._dated = self._dates()
        return forked

    def read(self, start: int, target: int, before: bytes = b"") -> Bytes:
        """Return bytes `start` to `target`, fewer if the file has no more, no time is left, or RDS throttles.

        Each portion begins a little before the bytes that are new, which shows whether the file has changed there
        meanwhile, and tells its end from an empty answer.

        Args:
            start: Offset of the first byte.
            target: Offset of the byte after the last.
            before: What the file is known to have in front of `start`.

        Raises:
            FileChanged: The name leads to another file.
            SeamBroken: The file has other bytes in front.
            PortionUnreadable: They do not come through portions.
            ApiThrottled: Before the first portion came.
        """
        data = bytearray(before)
        begin = start - len(before)
        while begin + len(data) < target:
            seam = tail_of(bytes(data[-TAIL_BYTES:]))
            try:
                taken = self._take(begin + len(data) - len(seam), len(seam))
            except ApiThrottled as throttled:
                if len(data) == len(before):
                    raise
                return Bytes(bytes(data[len(before) : target - begin]), at_end=False, stopped=throttled)
            if not taken.startswith(seam):
                raise SeamBroken(f"The file has other bytes before {begin + len(data)} than it had.")
            if len(taken) == len(seam):
                return Bytes(bytes(data[len(before) :]), at_end=True)
            data += taken[len(seam) :]
            if self._is_late():
                break
        return Bytes(bytes(data[len(before) : target - begin]), at_end=False)

    def _take(self, position: int, seam: int) -> bytes:
        """Return what follows a position; of which so many bytes are known."""
        lines = MOST_LINES
        for attempt in range(_ATTEMPTS):
            self.statistics.portions += 1
            self.statistics.repeated += attempt > 0
            portion = self._ask(self._marker(position), lines)
            marker = parse(portion.marker)
            if marker is not None:
                self._check_hour(marker.prefix)
            cut = without_notice(portion.data)
            if position and not seam and portion.data.startswith(_REPLACEMENT):
                raise CharacterCut(f"The byte at {position} is within a character, or no text.")
            if cut is not None or _REPLACEMENT in portion.data:
                self.statistics.truncations += cut is not None
                whole = _whole(portion.data if cut is None else cut, seam, position)
                # Just a megabyte, so that nothing in front was repeated; else its lines have to be asked for alone.
                if cut is not None and len(cut) == MOST_BYTES and _REPLACEMENT not in cut:
                    return whole
                lines = whole.count(b"\n")
            elif marker is not None and marker.offset - position == len(portion.data) and portion.data:
                return portion.data
            elif not portion.data and attempt:
                # Twice nothing, where there is something if the file still is as long. Once is seen amid a rotation.
                return b""
        raise PortionUnreadable(
            f"What portions give at byte {position} is never as much as their markers move: the file has bytes that "
            "they do not carry."
        )

    def _marker(self, position: int) -> str:
        hour = self._hour or hour_of(self._now())
        return build(hour_id(hour, dated=self._dates()), position) if position else FIRST

    def _dates(self) -> bool:
        """Whether this version writes markers with a day, which its first answer tells."""
        if self._dated is None:
            self.statistics.portions += 1
            marker = parse(self._ask(FIRST, 1).marker)
            self._dated = marker.dated if marker is not None else False
        return self._dated

    def _check_hour(self, prefix: str) -> None:
        if not prefix:
            return
        self._dated = "-" in prefix
        if self._hour is not None and prefix != hour_id(self._hour, dated=self._dated):
            raise FileChanged(
                f"The file of hour {hour_id(self._hour, dated=True)} has another name by now: the one that was asked "
                f"for leads to hour {prefix}."
            )
