"""The beginning of a backfill: its request kept, an execution put in charge, and at the end of planning its plan."""

from datetime import datetime
from typing import TYPE_CHECKING

from firewall_logs import locations
from firewall_logs.backfills import estimate
from firewall_logs.backfills.contracts import (
    BackfillInput,
    BackfillPlan,
    Order,
    PlanBackfillInput,
    PlanBackfillResult,
    Planning,
)
from firewall_logs.backfills.estimate import Capacity
from firewall_logs.errors import BackfillUnknown
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from firewall_logs.adapters.backfills import Backfills


class Opening:
    """Opens a backfill: a new one, or one that goes on."""

    def __init__(self, backfills: "Backfills", step: PlanBackfillInput) -> None:
        self._backfills = backfills
        self._step = step
        self.backfill_id = step.input.resume or step.execution

    def request(self, max_usd: float) -> BackfillInput:
        """Return what the backfill is about, and put this execution in charge of it unless it only plans.

        Args:
            max_usd: The limit of a backfill that was never given one.

        Raises:
            BackfillUnknown: It is to be resumed and was never begun.
            EffectConflict: The name is that of a backfill which was asked for something else.
        """
        given = self._step.input
        if given.resume is None:
            self._backfills.keep_request(self.backfill_id, given)
        request = self._backfills.request(self.backfill_id)
        if request is None:
            raise BackfillUnknown(
                f"There is no backfill {self.backfill_id} to resume: 'resume' takes the name of the execution that "
                "began it."
            )
        if not given.only_plans:
            # What this execution was given goes before what an earlier one was, and that before the first request.
            earlier = self._backfills.order(self.backfill_id) or request
            order = Order(
                execution=self._step.execution,
                max_usd=given.max_usd or earlier.max_usd or max_usd,
                max_concurrency=given.max_concurrency or earlier.max_concurrency,
                engine=given.engine or earlier.engine,
            )
            self._backfills.give_order(self.backfill_id, order)
        return request

    def plan(self, request: BackfillInput, planning: Planning, capacity: Capacity, now: datetime) -> PlanBackfillResult:
        """Write the plan, once it is complete and unless there is one, and say how far it is."""
        plan = self._backfills.plan(self.backfill_id)
        if plan is None and planning.complete:
            plan = BackfillPlan(
                backfill_id=self.backfill_id,
                transform_version=TRANSFORM_VERSION,
                planned_at=now,
                request=request,
                planning=planning,
                estimate=estimate.total(planning, capacity),
            )
            self._backfills.keep_plan(plan)
        return PlanBackfillResult(
            backfill_id=self.backfill_id,
            planned=plan is not None,
            dry_run=self._step.input.only_plans,
            plan_key=locations.backfill_key(self.backfill_id, "plan.json"),
            listed=planning.listed,
            done=planning.done,
            waves=len(planning.waves),
            estimate=plan.estimate if plan else None,
        )
