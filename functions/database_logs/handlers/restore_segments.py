"""Restore the segments of one list of a replay from RDS: read them again where need be, and tell the parsers.

Trigger: state RestoreSegments of replay_logs. Input: ReplayPage. Output: SegmentsRestored.
Errors: ReplayPageMissing, FleetInvalid (never retried); InstancePaused and everything else is transient, and what is
restored twice is the same. That RDS throttles is no error: something is `open` then, and another call goes on with it.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.collectors import Collectors
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.collection.collector import Limits
from database_logs.contracts import ReplayPage
from database_logs.rds_replays import Restorer
from database_logs.settings import RestoreSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Restore what the list names."""
    page = ReplayPage.model_validate(event).page
    settings = load(RestoreSettings)
    # Without a Valkey, which is only reached from the subnets of discovery and collection.
    collectors = Collectors(
        settings,
        "",
        Limits(settings.segment_bytes, portions=settings.concurrent_portions),
        utc_now,
        lambda: context.get_remaining_time_in_millis() / 1000,
    )
    restored = Restorer(collectors.of, collectors.tasks, ReplayPages(aws.s3(), settings.lake_bucket)).restore(page)
    collectors.apis.measure(metrics)
    logger.info("segments restored", page=page, **restored.model_dump())
    return restored.model_dump(mode="json")
