"""Apply one step of a plan, if the resource still is as it was planned from.

Trigger: the machine remediate_account. Input: WorkOnStep. Output: StepWorked.
Errors: EstateInvalid, ProfileInvalid, ProfileMissing, PlanMissing, PlanUnapproved, PlanExpired, PlanUndone,
EvidenceBroken, AccessRefused, ReadDenied (never retried); ResourceLocked and ResourceUnreadable are matters of waiting,
everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.calls import Calls
from data_protection.adapters.estate import Clients
from data_protection.remediation.compose import bench, worked
from data_protection.remediation.contracts import WorkOnStep
from data_protection.remediation.steps import State
from data_protection.settings import StepSettings
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply the step."""
    asked, settings = WorkOnStep.model_validate(event), load(StepSettings)
    made = bench(asked, settings, context.invoked_function_arn, applying=True)
    result = worked(made.remediator.apply(Calls(Clients(made.role, asked.plan).of)), made.policy, utc_now())
    logger.info("step applied", plan=asked.plan, **result.model_dump(mode="json"))
    metrics.add_metric("StepsApplied", "Count", int(result.state is State.APPLIED))
    return result.model_dump(mode="json")
