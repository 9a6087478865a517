"""Plan the digests of the two days before: which calls add up which parts.

Trigger: state PlanDigests of digest_queries. Input: as a scheduled event of EventBridge, of which the time is used.
Output: DigestsPlan. Errors: everything is transient.
"""

from datetime import UTC
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.lake import LakeReader
from database_logs.contracts import Scheduled
from database_logs.digest_plans import DigestPlanner
from database_logs.settings import DigestSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan digests."""
    today = Scheduled.model_validate(event).time.astimezone(UTC).date()
    plan = DigestPlanner(LakeReader(aws.s3(), load(DigestSettings).lake_bucket)).plan(today)
    logger.info("digests planned", days=[day.isoformat() for day in plan.days], shards=len(plan.shards))
    return plan.model_dump(mode="json")
