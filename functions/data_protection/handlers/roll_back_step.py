"""Undo one step of a plan that did not take hold.

Trigger: the machine remediate_account. Input: WorkOnStep. Output: StepWorked.
Errors: EstateInvalid, ProfileInvalid, ProfileMissing, PlanMissing, AccessRefused (never retried); ResourceLocked,
ResourceUnreadable and ReadDenied are matters of waiting, everything else is transient.
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
    """Undo the step."""
    asked, settings = WorkOnStep.model_validate(event), load(StepSettings)
    made = bench(asked, settings, context.invoked_function_arn)
    result = worked(made.remediator.roll_back(Calls(Clients(made.role, asked.plan).of)), made.policy, utc_now())
    logger.info("step rolled back", plan=asked.plan, **result.model_dump(mode="json"))
    metrics.add_metric("StepsRolledBack", "Count", int(result.state is State.ROLLED_BACK))
    return result.model_dump(mode="json")
