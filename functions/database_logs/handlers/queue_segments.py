"""Queue the segments of one list of a replay for parsing.

Trigger: state QueueSegments of replay_logs. Input: ReplayPage. Output: SegmentsQueued.
Errors: ReplayPageMissing (never retried); everything else is transient, and what is queued twice is parsed once.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.messages import Messages
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.contracts import ReplayPage
from database_logs.replays import ReplayQueuer
from database_logs.settings import QueueSegmentsSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the segments of the list, once."""
    page = ReplayPage.model_validate(event).page
    settings = load(QueueSegmentsSettings)
    pages = ReplayPages(aws.s3(), settings.lake_bucket)
    queued = ReplayQueuer(pages, Messages(aws.sqs(), settings.parsing_queue_url)).queue(page)
    logger.info("segments queued", page=page, **queued.model_dump())
    return queued.model_dump(mode="json")
