"""The look at what may have drifted: snapshot, verdicts, what changed, who is told."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.drift.drifts import Comparison, Drift, compare
from data_protection.drift.touches import Cause
from data_protection.findings import rows
from data_protection.profiles import Profile
from data_protection.resources import Place, Resource
from data_protection.verdicts import Status

if TYPE_CHECKING:
    from data_protection.adapters.drifts import DriftStore
    from data_protection.adapters.findings import FindingStore
    from data_protection.adapters.fixes import FixQueue
    from data_protection.adapters.snapshots import Snapshots
    from kernel.bus import Bus


def nobody(_check: str, _resource: Resource) -> None:
    """Know of nobody who touched anything."""


@dataclass(frozen=True)
class Look:
    """What is looked at, and why.

    Attributes:
        run: By which findings name the look.
        place: Where.
        only: Just these checks on these resources; None for all in scope.
        cause: Who touched a resource, as far as a check sees it.
    """

    run: str
    place: Place
    only: Container[tuple[str, Resource]] | None = None
    cause: Callable[[str, Resource], Cause | None] = nobody


@dataclass(frozen=True)
class Looked:
    """What a look came to.

    Attributes:
        place: Where.
        comparison: With what was known.
        findings: Statuses by check and resource.
        told: When others were told.
    """

    place: Place
    comparison: Comparison
    findings: dict[tuple[str, Resource], Status]
    told: datetime

    @property
    def summary(self) -> dict[str, Any]:
        """What logs say of it."""
        comparison = self.comparison
        return {
            "place": str(self.place),
            "checks": len(self.findings),
            "found": [f"{drift.check} {drift.arn}" for drift in comparison.found],
            "fixed": [f"{end.drift.check} {end.drift.arn}" for end in comparison.fixed],
            "open": len(comparison.open) + len(comparison.found),
            "unwatched": self.unwatched,
        }

    @property
    def unwatched(self) -> bool:
        """Whether no trail records the place, as far as was looked: no event will tell of what happens there."""
        return any(
            check == "CT-LOGGING" and status is Status.FAIL for (check, _resource), status in self.findings.items()
        )

    @property
    def detect_seconds(self) -> list[float]:
        """How long each drift took from the event's time until it was told of; of those that an event told."""
        return [(self.told - drift.since).total_seconds() for drift in self.comparison.found if drift.event]

    @property
    def fix_seconds(self) -> list[float]:
        """How long each drift took from its change until it was seen to be fixed."""
        return [end.seconds for end in self.comparison.fixed]


class Watcher:
    """Looks at a place.

    A look may be made again at any time, and in any order: it judges what is, not what an event says. What it tells is
    told before it is kept, so that a look that dies is made up for by the next one.

    Args:
        snapshots: Takes snapshots, with the place's clients.
        findings: Keeps how things stand.
        drifts: Keeps what is open.
        bus: Where others are told.
        fixes: Where fixes are asked for; None where nothing more is to be fixed.
        profile: That says what is in scope, and what may be fixed.
        profile_name: By which it is known.
        now: The time.
    """

    def __init__(
        self,
        snapshots: "Snapshots",
        findings: "FindingStore",
        drifts: "DriftStore",
        bus: "Bus",
        fixes: "FixQueue | None",
        *,
        profile: Profile,
        profile_name: str,
        now: Callable[[], datetime],
    ) -> None:
        self._snapshots, self._findings, self._drifts = snapshots, findings, drifts
        self._bus, self._fixes = bus, fixes
        self._profile, self._name = profile, profile_name
        self._now = now

    def look(self, asked: Look) -> Looked:
        """Look, tell of drift that is new and of drift that is no more, and ask for the fixes that are allowed."""
        now = self._now()
        snapshot = self._snapshots.take(Questions(asked.place, self._profile, asked.only), now)
        assessment = assess(snapshot, self._profile, now, asked.only)
        standings, opened = self._findings.standings(asked.place), self._drifts.open_in(asked.place)
        comparison = compare(
            asked.place,
            assessment.findings,
            standings=standings,
            opened=opened,
            cause=asked.cause,
            whole=asked.only is None,
            unseen=assessment.unseen,
            look=asked.run,
            now=now,
        )
        told = self._now()
        # First, as one that comes again takes the place of the one that was fixed.
        for end in comparison.fixed:
            self._bus.publish("DriftFixed", end)
            self._drifts.close(end)
        for end in comparison.closed:
            self._drifts.close(end)
        for drift in comparison.found:
            self._bus.publish("DriftFound", drift)
            self._drifts.open(drift)
        fresh = rows(assessment, run=asked.run, profile=self._name, standings=standings)
        self._findings.follow(asked.place, fresh, standings, whole=asked.only is None)
        statuses = {(finding.check.id, finding.resource): finding.status for finding in assessment.findings}
        self._ask(drift for drift in (*comparison.found, *comparison.open) if _is_bad(statuses, drift))
        return Looked(asked.place, comparison, statuses, told)

    def _ask(self, drifts: Iterable[Drift]) -> None:
        if self._fixes is not None:
            for drift in drifts:
                if drift.check in self._profile.drift.fix:
                    self._fixes.ask(drift)


def _is_bad(statuses: Mapping[tuple[str, Resource], Status], drift: Drift) -> bool:
    return statuses[drift.check, drift.resource] in {Status.FAIL, Status.WARN}
