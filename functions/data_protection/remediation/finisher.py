"""FinishRemediation's work: what became of each step of a plan, with the heads of all chains of evidence."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from data_protection.remediation.contracts import FinishRemediation, RemediationFinished
from data_protection.remediation.evidence import Event, verify_chain
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import Progress, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.plans import PlanReader
    from data_protection.adapters.steps import StepLedger

_TOLD: Final = 20  # a cause of an execution has 32,768 characters


class Finisher:
    """Sums up.

    Args:
        plans: Finds the plan.
        ledger: Knows how far each step is.
        evidence: Returns the chain of a plan, or of a step of it.
    """

    def __init__(
        self,
        plans: "PlanReader",
        ledger: "StepLedger",
        evidence: "Callable[[str, str], EvidenceChain]",
    ) -> None:
        self._plans, self._ledger, self._evidence = plans, ledger, evidence

    def finish(self, asked: FinishRemediation, now: datetime) -> RemediationFinished:
        """Write the record that closes a run of a plan: without it, whoever deletes a whole chain would go unseen.

        Raises:
            PlanMissing: The plan is not (any more) what was planned.
            EvidenceBroken: A chain is not as it was written.
        """
        plan = self._plans.load(asked.plan)
        steps = [self._ledger.find(plan.hash, step.id, now) for step in plan.steps]
        counts = dict(Counter(step.state for step in steps))
        heads = {
            step.step: verify_chain(self._evidence(plan.hash, step.step).records())
            for step in steps
            if step.state is not State.PLANNED
        }
        content = {
            "run": asked.run,
            "approved": asked.approved,
            "counts": counts,
            "failures": asked.failures,
            "steps": {step.step: step.state for step in steps},
            "heads": heads,
            **self._take_back(plan, steps, now),
        }
        whole = self._evidence(plan.hash, "")
        verify_chain(whole.records())
        head = whole.append(Event.FINISHED, now, content)
        begun = [step for step in steps if step.state is not State.PLANNED and not step.state.is_good]
        return RemediationFinished(
            plan=plan.hash,
            good=all(step.state.is_good for step in steps),
            counts=counts,
            not_good=tuple(f"{step.step} is {step.state}: {step.note}" for step in begun[:_TOLD]),
            head=head,
        )

    def _take_back(self, plan: Plan, steps: Sequence[Progress], now: datetime) -> dict[str, str]:
        """Have the evidence of a plan that was undone tell so, and return its head for that of the undoing plan."""
        undone = [step.step for step in steps if step.state is State.VERIFIED] if plan.undoes else []
        if not undone:
            return {}
        whole = self._evidence(plan.undoes, "")
        verify_chain(whole.records())
        heads = {step: verify_chain(self._evidence(plan.undoes, step).records()) for step in undone}
        return {"undone_head": whole.append(Event.TAKEN_BACK, now, {"by": plan.hash, "heads": heads})}
