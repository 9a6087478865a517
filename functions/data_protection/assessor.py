"""AssessPlace's work: snapshot, verdicts, findings kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from data_protection.assessments import Score, assess, score
from data_protection.collection import Questions
from data_protection.conflicts.clashes import clashes
from data_protection.contracts import AssessPlace, FindingRow, PlaceAssessed
from data_protection.exceptions import exception_rows
from data_protection.findings import conflict_rows, rows
from data_protection.locations import findings_key
from data_protection.profiles import Profile
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from data_protection.adapters.findings import FindingStore
    from data_protection.adapters.snapshots import Snapshots

_SCORES_KEPT: Final = timedelta(days=400)


class Assessor:
    """Assesses one place.

    Args:
        snapshots: Takes the snapshot, with the place's clients.
        store: Keeps findings.
        profile: That says what is in scope.
        profile_name: By which it is known.
    """

    def __init__(self, snapshots: "Snapshots", store: "FindingStore", profile: Profile, profile_name: str) -> None:
        self._snapshots = snapshots
        self._store = store
        self._profile = profile
        self._name = profile_name

    def assess(self, asked: AssessPlace, now: datetime) -> PlaceAssessed:
        """Assess a place once in a run: another attempt goes on with what the first one found."""
        place, day = asked.place.place, asked.time.date()
        kept = self._store.find(asked.run, day, place)
        found, calls = (kept, 0) if kept is not None else self._look(asked, now)
        total = score(row.status for row in found)
        expires = int((now + _SCORES_KEPT).timestamp())
        self._store.keep(asked, found, total, profile=self._name, expires=expires)
        return _assessed(asked, total, calls)

    def _look(self, asked: AssessPlace, now: datetime) -> tuple[Sequence[FindingRow], int]:
        place, day = asked.place.place, asked.time.date()
        snapshot = self._snapshots.take(Questions(place, self._profile), now)
        assessment = assess(snapshot, self._profile, now)
        fresh = rows(assessment, run=asked.run, profile=self._name, standings=self._store.standings(place))
        # Before the findings, which say that a run has looked.
        conflicts = conflict_rows(clashes([finding.case for finding in assessment.findings]))
        self._store.write_conflicts(asked.run, day, place, conflicts)
        exceptions = exception_rows(self._profile, assessment, name=self._name)
        self._store.write_exceptions(asked.run, day, place, exceptions)
        try:
            self._store.write(asked.run, day, place, fresh)
        except EffectConflict:
            # Two attempts at once; the first one's findings are the run's.
            fresh = self._store.find(asked.run, day, place) or fresh
        return fresh, len(snapshot.readings)


def _assessed(asked: AssessPlace, total: Score, calls: int) -> PlaceAssessed:
    return PlaceAssessed(
        place=asked.place,
        percent=total.percent,
        coverage=total.coverage,
        counts=total.counts,
        calls=calls,
        key=findings_key(asked.run, asked.time.date(), asked.place.place),
    )
