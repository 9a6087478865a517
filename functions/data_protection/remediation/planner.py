"""PlanRemediation's work: a plan made once in a run, or one that was made before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.errors import PlanMissing, PlanUndone
from data_protection.estate import Account
from data_protection.profiles import Profile
from data_protection.remediation.contracts import PlanRemediation
from data_protection.remediation.decisions import approvers_needed, require_fresh
from data_protection.remediation.evidence import Event
from data_protection.remediation.plans import Plan, make_plan
from data_protection.remediation.policy import Policy
from data_protection.remediation.undoings import Chains, judged, make_undoing
from data_protection.resources import Place

if TYPE_CHECKING:
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.plans import PlanReader, PlanRegister
    from data_protection.adapters.snapshots import Snapshots


@dataclass(frozen=True)
class Site:
    """Where a plan is made, and by what.

    Attributes:
        place: Where.
        account: Whose.
        own: The functions' account.
        profile: By which the account is judged now.
        snapshots: Takes the snapshot, with the clients that assess the account.
    """

    place: Place
    account: Account
    own: str
    profile: Profile
    snapshots: "Snapshots"


class Planner:
    """Plans.

    Args:
        reader: Finds plans.
        register: Keeps them.
        evidence: Returns the chain of a plan.
        chains: Returns all chains of a plan, by the step that they are kept for, empty for the plan as a whole.
        policy: Returns the policy by now of the profile that a plan from before is of.
        make: Makes a new one, as of a time.
    """

    def __init__(
        self,
        reader: "PlanReader",
        register: "PlanRegister",
        evidence: "Callable[[str], EvidenceChain]",
        chains: Callable[[str], Chains],
        *,
        policy: Callable[[Plan], Policy],
        make: Callable[[datetime], Plan],
    ) -> None:
        self._reader, self._register = reader, register
        self._evidence, self._chains = evidence, chains
        self._policy, self._make = policy, make

    def plan(self, asked: PlanRemediation, now: datetime) -> tuple[Plan, int]:
        """Return the plan of a run, and how many people must approve it; another attempt finds what the first one made.

        Raises:
            PlanMissing: A plan that is asked for is not there, is not what was planned, or was planned by nobody.
            PlanUndone: It was undone since.
            PlanExpired: It is too old.
            PlanTooLarge: A new one would change more than its limits allow.
        """
        known = asked.plan or self._register.of(asked.run, asked.time)
        if known is None:
            plan = self._make(now)
            policy = plan.policy  # which is the profile's of now
            self._register.keep(asked.run, asked.time, plan)
        else:
            plan = self._reader.load(known)
            policy = self._policy(plan)
        if asked.plan:
            _require_open(plan, self._chains(plan.hash))
            require_fresh(plan, policy, now)
        # A dry run of a plan that is made already comes to nothing that was not told before.
        if not (asked.plan and asked.dry_run):
            self._tell(plan, asked, now)
        return plan, approvers_needed(plan, policy)

    def _tell(self, plan: Plan, asked: PlanRemediation, now: datetime) -> None:
        """Keep in evidence that a run is about a plan, once, whatever was told since."""
        content = {**plan.summary, "run": asked.run, "asked_by": asked.requested_by, "dry_run": asked.dry_run}
        chain = self._evidence(plan.hash)
        if not any(told.event is Event.PLANNED and told.content == content for told in chain.records()):
            chain.append(Event.PLANNED, now, content)


def _require_open(plan: Plan, chains: Chains) -> None:
    if not chains.get(""):
        # Whoever can write into the lake could make a plan that needs nobody's approval, and its hash.
        raise PlanMissing(f"There is no evidence that the plan {plan.hash} was made by a run. Plan again.")
    # An undoing tells it of each step at once, and of the plan as a whole only at its end.
    for record in chain.from_iterable(chains.values()):
        if record.event is Event.TAKEN_BACK:
            raise PlanUndone(f"The plan {plan.hash} was undone by the plan {record.content['by']}. Plan again.")


def new_plan(asked: PlanRemediation, now: datetime, site: Site) -> Plan:
    """Return the plan that would mend what is found now.

    Args:
        asked: Phases and names.
        now: The time.
        site: Where.

    Raises:
        EstateInvalid: The account is not remediated in one of the phases.
        PlanTooLarge: It would change more than the profile's limits allow.
    """
    for phase in asked.phases:
        site.account.remediator(phase, site.own)
    snapshot = site.snapshots.take(Questions(site.place, site.profile), now)
    return make_plan(
        assess(snapshot, site.profile, now),
        profile=site.account.profile,
        phases=asked.phases,
        named=asked.named,
        policy=site.profile.remediation,
        requested_by=asked.requested_by,
    )


def new_undoing(asked: PlanRemediation, now: datetime, site: Site, *, first: Plan, chains: Chains) -> Plan:
    """Return the plan that undoes what another one has changed, as far as that is as it was left.

    Args:
        asked: Which steps of it, and names.
        now: The time.
        site: Of that plan.
        first: The plan that is undone.
        chains: Its evidence, by the step that it is kept for, empty for the plan as a whole.

    Raises:
        UndoRefused: That plan undoes another one itself.
        PlanMissing: It has none of the steps that are asked for.
        EvidenceBroken: Its evidence is not as it was written.
        PlanTooLarge: More would be changed than the profile's limits allow.
    """
    only = judged(first, site.place)
    snapshot = site.snapshots.take(Questions(site.place, site.profile, only, undoing=True), now)
    return make_undoing(
        first,
        chains,
        assess(snapshot, site.profile, now, only),
        wanted=asked.steps,
        named=asked.named,
        profile=site.account.profile,
        policy=site.profile.remediation,
        requested_by=asked.requested_by,
    )
