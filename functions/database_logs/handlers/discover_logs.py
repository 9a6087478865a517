"""Discover what moved in the logs of a part of the fleet, and queue it.

Trigger: an EventBridge schedule, one for each part. Input: Discover. Output: Discovered.
Errors: FleetInvalid; everything else is transient, and the next pass makes up for it.
"""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.apis import Apis
from database_logs.adapters.fleet import FleetParameter
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
    apis = Apis(fleet, aws.dynamodb(), settings.tracking_table, utc_now)
    queue = CollectQueue(aws.sqs(), settings.collect_queue_url)
    discoverer = Discoverer(fleet, apis.of, Turns(aws.dynamodb(), settings.tracking_table), queue, utc_now)
    done = discoverer.discover(asked.shard, asked.shards)
    _measure(done, apis)
    logger.info("fleet discovered", instances=done.instances, looked_at=done.looked_at, queued=done.queued)
    return Discovered(
        instances=done.instances,
        looked_at=done.looked_at,
        paused=done.paused,
        files=done.files,
        queued=done.queued,
    ).model_dump(mode="json")


def _measure(done: Pass, apis: Apis) -> None:
    apis.measure(metrics)
    metrics.add_metric("InstancesPaused", MetricUnit.Count, done.paused)
    metrics.add_metric("InstancesRefused", MetricUnit.Count, done.refused)
    metrics.add_metric("FilesQueued", MetricUnit.Count, done.queued)
    metrics.add_metric("FilesIgnored", MetricUnit.Count, done.ignored.total())
    metrics.add_metric("BytesBehind", MetricUnit.Bytes, done.behind)
    if done.time_to_loss is not None:
        metrics.add_metric("TimeToLoss", MetricUnit.Seconds, done.time_to_loss.total_seconds())
