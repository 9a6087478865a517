"""A generation: one of the files that bear a name, one after the other."""

from dataclasses import dataclass, field
from datetime import datetime

from local.rds.model.sources import LogSource


@dataclass
class Run:
    """Bytes `start` to `end` of a source; end None: it still grows."""

    start: int
    end: int | None = None


@dataclass(frozen=True)
class Loss:
    """What a restart took from the end of a file.

    Attributes:
        at: When.
        offset: Where in the file, bytes; later bytes stand there now.
        runs: Which bytes of the source.
    """

    at: datetime
    offset: int
    runs: tuple[tuple[int, int], ...]


@dataclass
class Generation:
    """A file's bytes, whatever its name is and whether it still has one.

    Attributes:
        number: Tells the generations of an instance apart, in order of creation.
        source: Where its bytes come from.
        created: When it was begun.
        runs: Its bytes; only the last run grows, if any does.
        closed: When the last byte was written; None while it grows.
        last_written: When it was last seen to have grown.
        losses: What restarts took.
        moves_on: Whether its bytes move on to another file, which has none of them before: mysql-error.log.
    """

    number: int
    source: LogSource
    created: datetime
    runs: list[Run]
    closed: datetime | None = None
    last_written: datetime = field(init=False)
    losses: list[Loss] = field(default_factory=list)
    moves_on: bool = False
    _seen: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.last_written = self.created

    def size(self, now: datetime) -> int:
        """Return bytes written by now."""
        return sum(end - start for start, end in self._spans(now))

    def observe(self, now: datetime) -> int:
        """Return the size, and move last_written if it has grown."""
        size = self.size(now)
        if size != self._seen:
            self._seen, self.last_written = size, now
        return size

    def read(self, start: int, end: int, now: datetime) -> bytes:
        """Return bytes `start` to `end` of the file, fewer where it ends before."""
        pieces = []
        offset = 0
        for first, last in self._spans(now):
            from_, to = max(start - offset, 0), min(end - offset, last - first)
            if from_ < to:
                pieces.append(self.source.read(first + from_, first + to))
            offset += last - first
        return b"".join(pieces)

    def close(self, position: int, now: datetime) -> None:
        """End the file where the source's next one begins."""
        if self.runs and self.runs[-1].end is None:
            self.runs[-1].end = max(position, self.runs[-1].start)
        self.observe(now)
        self.closed = now

    def lose(self, unflushed: int, now: datetime) -> None:
        """Lose the last bytes, as a file does whose server dies before it has flushed them; it goes on from there."""
        spans = self._spans(now)
        size = sum(end - start for start, end in spans)
        durable = max(0, size - unflushed)
        position = spans[-1][1]
        kept: list[Run] = []
        lost: list[tuple[int, int]] = []
        offset = 0
        for first, last in spans:
            middle = min(max(first + durable - offset, first), last)
            if first < middle:
                kept.append(Run(first, middle))
            if middle < last:
                lost.append((middle, last))
            offset += last - first
        if lost:
            self.losses.append(Loss(now, durable, tuple(lost)))
            self.runs = [*kept, Run(position)]
            self.observe(now)

    def _spans(self, now: datetime) -> list[tuple[int, int]]:
        return [
            (run.start, max(self.source.length(now), run.start) if run.end is None else run.end) for run in self.runs
        ]
