"""Plan a replay of database logs from S3: choose segments and list them.

Trigger: state PlanLogReplay of replay_logs. Input: PlanLogReplayInput. Output: LogReplayPlan.
Errors: ReplayDiffers (never retried); everything else is transient. Another call returns the plan that stands.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.lake import LakeReader
from database_logs.adapters.manifests import ManifestReader
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.contracts import PlanLogReplayInput
from database_logs.replays import ReplayPlanner
from database_logs.settings import PlanLogReplaySettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan, or return the plan of this replay."""
    step = PlanLogReplayInput.model_validate(event)
    s3, bucket = aws.s3(), load(PlanLogReplaySettings).lake_bucket
    plan = ReplayPlanner(LakeReader(s3, bucket), ManifestReader(s3, bucket), ReplayPages(s3, bucket)).plan(step)
    logger.info("replay planned", **plan.model_dump(exclude={"input"}))
    return plan.model_dump(mode="json")
