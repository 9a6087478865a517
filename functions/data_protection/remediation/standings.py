"""How findings stand after the work on a step: nobody else looks, as drift pays no heed to Gatehouse's own calls."""

from typing import TYPE_CHECKING, Any

from data_protection.assessments import assess
from data_protection.checks.check import Case
from data_protection.findings import rows
from data_protection.profiles import Profile

if TYPE_CHECKING:
    from data_protection.adapters.findings import FindingStore


class Standings:
    """Lets the findings that are kept follow what is seen of a step's resource.

    Args:
        findings: Keeps them.
        check: Id of the step's check.
        profile: That asks it.
        profile_name: By which it is known.
        plan: Hash of the plan, by which findings name the look.
    """

    def __init__(self, findings: "FindingStore", check: str, profile: Profile, *, profile_name: str, plan: str) -> None:
        self._findings, self._check, self._profile = findings, check, profile
        self._name, self._plan = profile_name, plan

    def follow(self, case: Case[Any]) -> None:
        """Keep how the check on the resource stands, unless another look has seen it since."""
        place = case.resource.place
        standings = self._findings.standings(place)
        seen = assess(case.snapshot, self._profile, case.now, [(self._check, case.resource)])
        fresh = rows(seen, run=f"remediation-{self._plan}", profile=self._name, standings=standings)
        self._findings.follow(place, fresh, standings, whole=False)
