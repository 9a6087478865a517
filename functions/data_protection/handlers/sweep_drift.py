"""Look at all that is in scope in a place, for what no event told.

Trigger: SQS, where StartSweep puts places. Input: an SQS batch of SweepPlace, one a call. Output: the messages to be
delivered again (partial batch response).
Errors: a place that cannot be looked at comes again, and ends in the dead-letter queue.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import EstateStore
from data_protection.adapters.fixes import FixQueue
from data_protection.contracts import SweepPlace
from data_protection.drift.compose import watcher
from data_protection.drift.metrics import of_look, of_sweep
from data_protection.drift.sweeps import sweep
from data_protection.settings import SweepSettings
from kernel import aws
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep the place of each message."""
    _, _, _, region, own, *_ = context.invoked_function_arn.split(":")
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], lambda record: _sweep(record, own, region)):
        processor.process()
    log_failures(processor)
    return dict(processor.response())


def _sweep(record: SQSRecord, own: str, region: str) -> None:
    asked, settings = SweepPlace.model_validate_json(record.body), load(SweepSettings)
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, region)
    watching = watcher(
        estate.account(asked.place.account),
        lake_bucket=settings.lake_bucket,
        findings_table=settings.findings_table,
        event_bus=settings.event_bus,
        fixes=FixQueue(aws.sqs(), settings.fix_queue_url),
    )
    for looked in sweep(watching, asked):
        logger.info("place swept", run=asked.run, **looked.summary)
        for name, unit, value in (*of_look(looked), *of_sweep(looked)):
            metrics.add_metric(name, unit, value)
