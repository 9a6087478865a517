"""Check how many segments of one list of a replay are in the lake by the parsers of today.

Trigger: state CheckSegments of replay_logs. Input: ReplayPage. Output: SegmentsChecked.
Errors: ReplayPageMissing (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.manifests import ManifestReader
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.contracts import ReplayPage
from database_logs.replays import ReplayChecker
from database_logs.settings import CheckSegmentsSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count what is done and what is open."""
    page = ReplayPage.model_validate(event).page
    s3, bucket = aws.s3(), load(CheckSegmentsSettings).lake_bucket
    checked = ReplayChecker(ReplayPages(s3, bucket), ManifestReader(s3, bucket)).check(page)
    logger.info("segments checked", page=page, **checked.model_dump())
    return checked.model_dump(mode="json")
