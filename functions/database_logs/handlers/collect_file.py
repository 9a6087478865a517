"""Collect what is new in the files of a batch of tasks.

Trigger: SQS FIFO, a group for each log of an instance, one message a call. Input: an SQS batch of CollectTask. Output:
the messages to be delivered again (partial batch response).
Errors: a message that is no task, and a store or a queue that fails, are reported alone and come again. A file that RDS
does not give now is left to discovery. Neither is an error of the function; both are counted as CollectionsFailed, but
for what is only a matter of waiting, and for a role that is refused, which InstancesRefused tells of.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.collectors import Collectors
from database_logs.collection.collector import Limits, Outcome, collect
from database_logs.contracts import CollectTask
from database_logs.costs import usd
from database_logs.settings import CollectSettings
from kernel.clock import utc_now
from kernel.metering import Meter
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Collect the file of each message."""
    settings = load(CollectSettings)
    collectors = Collectors(
        settings,
        settings.valkey_url,
        Limits(settings.segment_bytes, timedelta(seconds=settings.lease_seconds), settings.concurrent_portions),
        utc_now,
        lambda: context.get_remaining_time_in_millis() / 1000,
    )
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], partial(_collect, settings, collectors, context)):
        processor.process()
    log_failures(processor)
    metrics.add_metric("CollectionsFailed", MetricUnit.Count, len(processor.exceptions))
    collectors.apis.measure(metrics)
    return dict(processor.response())


def _collect(settings: CollectSettings, collectors: Collectors, context: LambdaContext, record: SQSRecord) -> None:
    meter = Meter(int(context.memory_limit_in_mb))
    task = CollectTask.model_validate_json(record.body)
    outcome = collect(collectors.of, task, record.message_id)
    cost = usd(meter.read(), settings.architecture)
    _measure(outcome)
    metrics.add_metric("UsdEstimated", MetricUnit.NoUnit, cost)
    if outcome.refused:
        place = f"{task.file.account}/{task.file.region}, {task.file.instance_id}"
        logger.warning("logs may not be read", reason=f"{place}: {outcome.left}")
    elif outcome.left is not None:
        logger.warning("file left", file=task.file.file, error=type(outcome.left).__name__, reason=str(outcome.left))
    logger.info(
        "file collected",
        instance=task.file.instance_id,
        tags=task.file.tags,
        file=task.file.file,
        bytes=outcome.stored,
        gaps=outcome.gaps,
        usd=cost,
    )


def _measure(outcome: Outcome) -> None:
    metrics.add_metric("CollectionsFailed", MetricUnit.Count, outcome.failed)
    metrics.add_metric("InstancesRefused", MetricUnit.Count, outcome.refused)
    metrics.add_metric("SegmentsStored", MetricUnit.Count, outcome.segments)
    metrics.add_metric("BytesStored", MetricUnit.Bytes, outcome.stored)
    metrics.add_metric("GapsDeclared", MetricUnit.Count, outcome.gaps)
    metrics.add_metric("RestartsFound", MetricUnit.Count, outcome.restarts)
    metrics.add_metric("RecordsTruncated", MetricUnit.Count, outcome.truncated)
    metrics.add_metric("PortionsTruncated", MetricUnit.Count, outcome.portions.truncations)
    metrics.add_metric("CompleteFilesRead", MetricUnit.Count, outcome.complete_files)
