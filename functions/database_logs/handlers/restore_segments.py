"""Restore the segments of one list of a replay from RDS: read them again where need be, and tell the parsers.

Trigger: state RestoreSegments of replay_logs. Input: ReplayPage. Output: SegmentsRestored.
Errors: ReplayPageMissing, FleetInvalid (never retried); ApiThrottled, InstancePaused and everything else is transient,
and what is restored twice is the same.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.apis import CompleteApis, LogApis
from database_logs.adapters.fleet import FleetParameter
from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.messages import Messages
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.adapters.segments import Segments
from database_logs.adapters.tasks import CollectQueue
from database_logs.adapters.tracking import Tracking
from database_logs.collection.collector import Collector, Limits
from database_logs.contracts import FileRef, ReplayPage
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
    fleet = FleetParameter(aws.ssm(), settings.fleet_parameter).load()
    # Without a Valkey, which is only reached from the subnets of discovery and collection.
    apis = LogApis(fleet, aws.dynamodb(), (settings.tracking_table, settings.metadata_table), "", utc_now)
    tasks = CollectQueue(aws.sqs(), settings.collect_queue_url)

    def collector_of(file: FileRef) -> Collector:
        estate = fleet.estate(file.account, file.region)
        return Collector(
            apis.of(estate),
            CompleteApis(apis).of(estate),
            InstanceFacts(aws.dynamodb(), settings.metadata_table, utc_now),
            Tracking(aws.dynamodb(), (settings.tracking_table, settings.jobs_table)),
            Segments(aws.s3(), settings.segments_bucket),
            Messages(aws.sqs(), settings.parse_queue_url),
            tasks,
            Limits(settings.segment_bytes, portions=settings.concurrent_portions),
            utc_now,
            lambda: context.get_remaining_time_in_millis() / 1000,
        )

    restored = Restorer(collector_of, tasks, ReplayPages(aws.s3(), settings.lake_bucket)).restore(page)
    apis.measure(metrics)
    logger.info("segments restored", page=page, **restored.model_dump())
    return restored.model_dump(mode="json")
