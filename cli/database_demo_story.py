"""What happens to the fleet while the demo collects its logs: when time goes by, and what goes wrong then."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kernel.pages.words import counted

# The instance that is real, by engine.
REAL: Final = {"postgres": "postgres-00", "mariadb": "mariadb-00"}
_CLUSTER: Final = "aurora-postgresql-00"
_HOUR: Final = timedelta(hours=1)
_MOMENT: Final = timedelta(minutes=5)
# Of the calls of each look one in fifty is refused, up to this many.
_THROTTLED: Final = 4
_THROTTLE_PROBABILITY: Final = 0.02


@dataclass(frozen=True)
class Story:
    """The virtual time of the fleet.

    Attributes:
        start: When logging begins.
        hours: How long it goes on.
        real: Engines with a real server.
    """

    start: datetime
    hours: float
    real: Sequence[str]

    @property
    def looks(self) -> list[datetime]:
        """When the fleet is looked at: each hour or so, and a moment after the end, with the real servers shut down."""
        whole = [self.start + _HOUR * number for number in range(1, int(self.hours) + 1)]
        return [*(at for at in whole if self._end - at >= _HOUR / 2), self._end + _MOMENT]

    @property
    def failover(self) -> datetime:
        """Half-way through the hours, in the middle between two looks: what is lost had hardly been read."""
        middle = self.start + (self._end - self.start) / 2
        before = max(at for at in (self.start, *self.looks) if at < middle)
        after = min(at for at in (*self.looks, self._end) if at >= middle)
        return before + (after - before) / 2

    @property
    def reboot(self) -> datetime | None:
        """A moment after the next look, so that what is lost had been read; None if that was the last one."""
        later = [at for at in self.looks[:-1] if at > self.failover]
        return later[0] + _MOMENT if later else None

    @property
    def failing(self) -> list[str]:
        """What fails over: a cluster, and the real servers, which are restarted later as well."""
        return [_CLUSTER, *self._servers]

    def steps(self) -> Iterator[tuple[datetime, list[timedelta]]]:
        """Yield each look with the time before it: a moment, and two parts at whose beginnings clients are at work."""
        before = self.start
        for at in self.looks:
            part = (min(at, self._end) - before - _MOMENT) / 2
            yield at, [_MOMENT, part, part]
            before = at

    def script(self) -> list[dict[str, Any]]:
        """Return what goes wrong, as local/rds/model/script.py has it: throttles by look first."""
        restarts = [("failover", self.failover, self.failing)]
        if self.reboot is not None:
            restarts.append(("reboot", self.reboot, self._servers))
        rules = [
            {"effect": effect, "action": "Clock", "instance": each, "after": at.isoformat()}
            for effect, at, instances in restarts
            for each in instances
        ]
        throttles = [
            {
                "effect": "throttle",
                "probability": _THROTTLE_PROBABILITY,
                "times": _THROTTLED,
                "after": at.isoformat(),
                "before": (at + timedelta(minutes=1)).isoformat(),
            }
            for at in self.looks
        ]
        return [*throttles, *rules]

    def throttled(self, applied: Sequence[int]) -> list[tuple[datetime, int]]:
        """Return each look, with how many of its calls were refused.

        Args:
            applied: How often each rule of the script was.
        """
        return list(zip(self.looks, applied[: len(self.looks)], strict=True))

    @property
    def _end(self) -> datetime:
        return self.start + timedelta(hours=self.hours)

    @property
    def _servers(self) -> list[str]:
        return [REAL[engine] for engine in self.real]


@dataclass(frozen=True)
class Happening:
    """Something that happened on the way.

    Attributes:
        when: Virtual time, as a person reads it.
    """

    when: str
    what: str


def happened(story: Story, truth: Iterable[dict[str, Any]], applied: Sequence[int], truncated: int) -> list[Happening]:
    """Return what happened, in the order of time.

    Args:
        story: As it was meant.
        truth: What the fleet's process answers to `truth`.
        applied: How often each rule of the script was.
        truncated: Portions that were cut inside of a line.
    """
    files = list(truth)
    timed = [*_rotations(files), *_restarts(files)]
    timed += [
        (at, f"RDS refused {counted(count, 'call')}: too many a second")
        for at, count in story.throttled(applied)
        if count
    ]
    told = [Happening(f"{at:%H:%M}", what) for at, what in sorted(timed)]
    if truncated:
        told.append(Happening("", f"{counted(truncated, 'portion')} cut inside of a line, and asked for again"))
    return told


def lines_lost(truth: Iterable[dict[str, Any]]) -> int:
    """Return how many lines the servers lost at restarts, whether anybody had read them or not."""
    return sum(tail["lines"] for file in truth for tail in file["lost"])


def _rotations(files: Iterable[dict[str, Any]]) -> Iterator[tuple[datetime, str]]:
    closed = Counter(datetime.fromisoformat(file["closed"]) for file in files if file["closed"] and file["size"])
    for at, count in closed.items():
        if not at.minute:
            yield at, f"{counted(count, 'file')} rotated: closed, and others begun"


def _restarts(files: Iterable[dict[str, Any]]) -> Iterator[tuple[datetime, str]]:
    lost: defaultdict[datetime, list[tuple[str, int]]] = defaultdict(list)
    for file in files:
        for tail in file["lost"]:
            lost[datetime.fromisoformat(tail["at"])].append((file["instance"], tail["lines"]))
    for at, tails in lost.items():
        names = ", ".join(sorted({instance for instance, _ in tails}))
        lines = sum(count for _, count in tails)
        yield at, f"{names} started anew: {counted(lines, 'line')} at the ends of {counted(len(tails), 'file')} lost"
