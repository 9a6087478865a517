"""Look whether one step of a plan took hold.

Trigger: the machine remediate_account. Input: WorkOnStep. Output: StepWorked.
Errors: EstateInvalid, ProfileInvalid, ProfileMissing, PlanMissing, AccessRefused (never retried); ResourceLocked,
ResourceUnreadable and ReadDenied are matters of waiting, everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.remediation.compose import bench, worked
from data_protection.remediation.contracts import WorkOnStep
from data_protection.settings import StepSettings
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look."""
    asked, settings = WorkOnStep.model_validate(event), load(StepSettings)
    made = bench(asked, settings, context.invoked_function_arn)
    result = worked(made.remediator.verify(), made.policy, utc_now())
    logger.info("step verified", plan=asked.plan, **result.model_dump(mode="json"))
    metrics.add_metric("StepsVerified", "Count", int(result.good))
    return result.model_dump(mode="json")
