"""Discover what moved in the logs of a part of the fleet, and queue it.

Trigger: an EventBridge schedule, one for each part. Input: Discover. Output: Discovered.
Errors: FleetInvalid; everything else is transient, and the next pass makes up for it.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.apis import FleetApis
from database_logs.adapters.fleet import FleetParameter
from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.tasks import CollectQueue
from database_logs.adapters.turns import Turns
from database_logs.contracts import Discover, Discovered
from database_logs.discovery.discoverer import Discoverer, Pass
from database_logs.settings import DiscoverSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at the instances whose turn it is."""
    asked = Discover.model_validate(event)
    settings = load(DiscoverSettings)
    fleet = FleetParameter(aws.ssm(), settings.fleet_parameter).load()
    tables = (settings.tracking_table, settings.metadata_table)
    apis = FleetApis(fleet, aws.dynamodb(), tables, settings.valkey_url, utc_now)
    discoverer = Discoverer(
        fleet,
        apis.of,
        Turns(aws.dynamodb(), settings.tracking_table),
        InstanceFacts(aws.dynamodb(), settings.metadata_table, utc_now),
        CollectQueue(aws.sqs(), settings.collect_queue_url),
        utc_now,
        lambda: context.get_remaining_time_in_millis() / 1000 - settings.margin_seconds,
    )
    done = discoverer.discover(asked.shard, asked.shards)
    _measure(done, apis)
    for reason in done.failed:
        logger.warning("RDS gave no answer", reason=reason)
    for instance, stalled in done.stalled:
        logger.warning("file stalled", instance=instance, file=stalled.file, size=stalled.size, stored=stalled.offset)
    for reason in done.refused:
        logger.warning("logs may not be read", reason=reason)
    logger.info("fleet discovered", instances=done.instances, looked_at=done.looked_at, queued=done.queued)
    return Discovered(
        instances=done.instances,
        looked_at=done.looked_at,
        paused=done.paused,
        files=done.files,
        queued=done.queued,
    ).model_dump(mode="json")


def _measure(done: Pass, apis: FleetApis) -> None:
    apis.measure(metrics)
    metrics.add_metric("InstancesPaused", MetricUnit.Count, done.paused)
    metrics.add_metric("InstancesRefused", MetricUnit.Count, len(done.refused))
    metrics.add_metric("InstancesFailed", MetricUnit.Count, len(done.failed))
    metrics.add_metric("RestartsAnnounced", MetricUnit.Count, done.restarts)
    metrics.add_metric("FailoversAnnounced", MetricUnit.Count, done.failovers)
    metrics.add_metric("FilesQueued", MetricUnit.Count, done.queued)
    metrics.add_metric("FilesIgnored", MetricUnit.Count, done.ignored.total())
    metrics.add_metric("FilesStalled", MetricUnit.Count, len(done.stalled))
    metrics.add_metric("GapsDeclared", MetricUnit.Count, done.gaps)
    metrics.add_metric("BytesBehind", MetricUnit.Bytes, done.behind)
    if done.time_to_loss is not None:
        metrics.add_metric("TimeToLoss", MetricUnit.Seconds, done.time_to_loss.total_seconds())
