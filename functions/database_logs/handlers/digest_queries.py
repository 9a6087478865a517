"""Digest the slow queries of the fleet: of the two days before.

Trigger: an EventBridge rule, once a day. Input: its scheduled event, of which the time is used. Output: DigestsMade.
Errors: everything is transient; made again, a digest replaces the one before.
"""

from datetime import UTC, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.digests import DigestStore
from database_logs.adapters.lake import LakeReader
from database_logs.contracts import DigestsMade, Scheduled
from database_logs.digester import Digester
from database_logs.settings import DigestSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

# The day before yesterday is made once more, with what came late; it comes first, as yesterday is compared with it.
_DAYS_BACK: Final = (2, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the digests and their reports."""
    today = Scheduled.model_validate(event).time.astimezone(UTC).date()
    bucket = load(DigestSettings).lake_bucket
    digester = Digester(LakeReader(aws.s3(), bucket), DigestStore(aws.s3(), bucket))
    made = DigestsMade(digests=[digester.digest(today - timedelta(days=back)) for back in _DAYS_BACK])
    logger.info("queries digested", **made.model_dump(mode="json"))
    metrics.add_metric("StatementsDigested", "Count", made.digests[-1].statements)
    metrics.add_metric("StatementsNew", "Count", made.digests[-1].new)
    return made.model_dump(mode="json")
