"""Sum up a replay of database logs: what became of all its lists.

Trigger: state FinishReplay of replay_logs. Input: FinishReplayInput. Output: ReplayFinished.
Errors: ReplayIncomplete and ReplayPageMissing (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.replay_pages import ReplayPageReader
from database_logs.contracts import FinishReplayInput
from database_logs.replays import ReplaySummary
from database_logs.settings import FinishReplaySettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count what is done, or tell what is not."""
    step = FinishReplayInput.model_validate(event)
    pages = ReplayPageReader(aws.s3(), load(FinishReplaySettings).lake_bucket)
    finished = ReplaySummary(pages).finish(step.replay_id)
    logger.info("replay finished", replay_id=step.replay_id, **finished.model_dump())
    return finished.model_dump(mode="json")
