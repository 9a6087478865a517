"""How findings stand after the work on a step: nobody else looks, as drift pays no heed to Gatehouse's own calls."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from data_protection.assessments import assess
from data_protection.checks.check import Case
from data_protection.contracts import FindingRow
from data_protection.findings import Standing, look_of, rows
from data_protection.profiles import Profile
from data_protection.remediation.evidence import Event
from data_protection.remediation.steps import State
from data_protection.resources import Resource

if TYPE_CHECKING:
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.findings import FindingStore


class Standings:
    """Lets the findings that are kept follow what is seen of a step's resource.

    Args:
        findings: Keeps them.
        check: Id of the step's check.
        profile: That asks it.
        profile_name: By which it is known.
        plan: Hash of the plan, by which findings name the look.
        beside: Other resources that what the step changes is shared with; the look was at them, too.
    """

    def __init__(
        self,
        findings: "FindingStore",
        check: str,
        profile: Profile,
        *,
        profile_name: str,
        plan: str,
        beside: Collection[Resource] = (),
    ) -> None:
        self._findings, self._check, self._profile = findings, check, profile
        self._name, self._plan, self._beside = profile_name, plan, beside

    def follow(self, case: Case[Any], state: State) -> None:
        """Keep how the check on the resource stands once a step has ended, unless another look has seen it since."""
        if not state.is_final:
            return
        known = self._findings.standings(case.resource.place)
        self._keep(case, {pair: replace(standing, undone_until=None) for pair, standing in known.items()})

    def expect(self, case: Case[Any], others: Collection[tuple[str, str]], until: datetime) -> None:
        """Keep that a call undoes what the check rests on, by a time: a look that comes between finds no drift.

        Args:
            case: The resource as it is.
            others: Further findings that rest on it, by check and ARN, at which nobody looks here.
            until: That time.
        """
        place = case.resource.place
        self._findings.expect(place, self._rows(case, self._findings.standings(place)), until)
        if others:
            self._findings.expect_others(place, others, until, look=look_of(self._plan), at=case.now)

    def expect_no_more(self, case: Case[Any], others: Collection[tuple[str, str]]) -> None:
        """Keep that what further findings rest on stays."""
        if others:
            self._findings.expect_no_more(case.resource.place, others)

    def forget(self, case: Case[Any]) -> None:
        """Keep how it stands once that is undone, as if it had never stood better, which else were drift.

        What it was shared with may show that later, as members of a cluster do, and what rests on it is not looked at
        here: both are expected to get worse until the time set.
        """
        own, known = (self._check, case.resource.arn), self._findings.standings(case.resource.place)
        if own in known:
            known[own] = replace(known[own], undone_until=None, best=None)
        self._keep(case, known)

    def _keep(self, case: Case[Any], standings: Mapping[tuple[str, str], Standing]) -> None:
        self._findings.follow(case.resource.place, self._rows(case, standings), standings, whole=False)

    def _rows(self, case: Case[Any], standings: Mapping[tuple[str, str], Standing]) -> list[FindingRow]:
        only = [(self._check, one) for one in {case.resource, *self._beside}]
        seen = assess(case.snapshot, self._profile, case.now, only)
        return rows(seen, run=look_of(self._plan), profile=self._name, standings=standings)


class Undone:
    """Lets findings and evidence follow a step that undoes one of another plan.

    Args:
        standings: Of the check on the resource.
        evidence: Of the step that is undone, in its own plan.
        plan: Hash of the plan that undoes it.
        borne: Returns which further findings rest on what is undone, by check and ARN.
        term: How long the undoing may take.
        now: The time.
    """

    def __init__(
        self,
        standings: Standings,
        evidence: "EvidenceChain",
        plan: str,
        *,
        borne: Callable[[Case[Any]], Collection[tuple[str, str]]],
        term: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._standings, self._evidence = standings, evidence
        self._plan, self._borne, self._term, self._now = plan, borne, term, now

    def follow(self, case: Case[Any], state: State) -> None:
        """Expect the check to fail before the call is made, and forget what was known of it once that is so."""
        if state is State.APPLYING:
            self._standings.expect(case, self._borne(case), self._now() + self._term)
        elif state is State.VERIFIED:
            self._evidence.append(Event.TAKEN_BACK, self._now(), {"by": self._plan})
            self._standings.forget(case)
        else:
            self._standings.follow(case, state)
            self._standings.expect_no_more(case, self._borne(case))
