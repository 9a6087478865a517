"""How findings stand after the work on a step: nobody else looks, as drift pays no heed to Gatehouse's own calls."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from data_protection.assessments import assess
from data_protection.checks.check import Case
from data_protection.contracts import FindingRow
from data_protection.drift.drifts import OURS, Drift, DriftEnd, Ending, Pair, mended
from data_protection.findings import Standing, look_of, rows
from data_protection.profiles import Profile
from data_protection.remediation.evidence import Event
from data_protection.remediation.steps import State
from data_protection.resources import Resource

if TYPE_CHECKING:
    from data_protection.adapters.drifts import DriftStore
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.findings import Expectations, FindingStore


class Standings:
    """Lets the findings that are kept follow what is seen of a step's resource.

    Args:
        findings: Keeps them.
        drifts: Keeps what is open.
        expectations: Keeps what is about to get worse.
        check: Id of the step's check.
        profile: That asks it.
        profile_name: By which it is known.
        plan: Hash of the plan, by which findings name the look.
        beside: Other resources that what the step changes is shared with; the look was at them, too.
    """

    def __init__(
        self,
        findings: "FindingStore",
        drifts: "DriftStore",
        expectations: "Expectations",
        check: str,
        profile: Profile,
        *,
        profile_name: str,
        plan: str,
        beside: Collection[Resource] = (),
    ) -> None:
        self._findings, self._drifts, self._expectations = findings, drifts, expectations
        self._check, self._profile, self._name = check, profile, profile_name
        self._plan, self._beside = plan, beside

    def follow(self, case: Case[Any], state: State) -> None:
        """Keep how the check on the resource stands once a step has ended, unless another look has seen it since."""
        if not state.is_final:
            return
        place = case.resource.place
        known = self._findings.standings(place)
        # Only what the step has changed itself is of the plan; else somebody else did, or nobody.
        look = look_of(self._plan) if state is State.VERIFIED else f"{look_of(self._plan)}-{state}"
        as_before = {pair: replace(standing, undone_until=None) for pair, standing in known.items()}
        self._findings.follow(place, self._rows(case, known, look), known, whole=False, counting=as_before)

    def expect(self, case: Case[Any], until: datetime) -> None:
        """Keep that a call undoes what the check rests on, by a time: a look that comes between finds no drift."""
        place = case.resource.place
        seen = self._rows(case, self._findings.standings(place), look_of(self._plan))
        self._expectations.keep(place, seen, until)

    def forget(self, case: Case[Any]) -> None:
        """Keep how it stands once that is undone, as if it had never stood better, which else were drift.

        What it was shared with may show that later, as members of a cluster do, and is expected to until the time set.
        Drift that is still open ends, first: once nothing is known of it, nobody could tell any more who has mended it.
        """
        place, own = case.resource.place, (self._check, case.resource.arn)
        known, opened = self._findings.standings(place), self._drifts.open_in(place)
        seen = self._rows(case, known, look_of(self._plan))
        for row in seen:
            if (drift := opened.get(row.pair)) is not None:
                self._drifts.close(self._end(drift, known.get(row.pair), case.now))
        forgotten = {own: replace(known[own], undone_until=None, best=None)} if own in known else {}
        self._findings.follow(place, seen, known, whole=False, counting=known | forgotten)

    def _end(self, drift: Drift, standing: Standing | None, now: datetime) -> DriftEnd:
        """Return how a drift ended: mended before, or as the plan undoes what the check rests on."""
        if standing is not None and (end := mended(drift, standing)) is not None:
            return end
        look = look_of(self._plan)
        return DriftEnd(drift=drift, how=Ending.UNDONE, ended=now, by=OURS, plan=self._plan, look=look)

    def _rows(self, case: Case[Any], standings: Mapping[Pair, Standing], look: str) -> list[FindingRow]:
        only = [(self._check, one) for one in {case.resource, *self._beside}]
        seen = assess(case.snapshot, self._profile, case.now, only)
        return rows(seen, run=look, profile=self._name, standings=standings)


class Undone:
    """Lets findings and evidence follow a step that undoes one of another plan.

    Args:
        standings: Of the check on the resource.
        evidence: Of the step that is undone, in its own plan.
        plan: Hash of the plan that undoes it.
        term: How long the undoing may take.
        now: The time.
    """

    def __init__(
        self,
        standings: Standings,
        evidence: "EvidenceChain",
        plan: str,
        *,
        term: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._standings, self._evidence = standings, evidence
        self._plan, self._term, self._now = plan, term, now

    def follow(self, case: Case[Any], state: State) -> None:
        """Expect the check to fail before the call is made, and forget what was known of it once that is so."""
        if state is State.APPLYING:
            self._standings.expect(case, self._now() + self._term)
        elif state is State.VERIFIED:
            self._evidence.append(Event.TAKEN_BACK, self._now(), {"by": self._plan})
            self._standings.forget(case)
        else:
            self._standings.follow(case, state)
