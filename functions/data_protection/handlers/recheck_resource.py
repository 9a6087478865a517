"""Look again at what calls to AWS may have changed.

Trigger: SQS, where EventBridge puts CloudTrail's events; delivered at least once, in any order, and perhaps never.
Input: an SQS batch of CloudTrailEvent. Output: the messages to be delivered again (partial batch response).
Errors: a message that is no such event is reported alone, and ends in the dead-letter queue; so do those of an account
that cannot be looked at. The sweep makes up for both.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import EstateStore
from data_protection.adapters.fixes import FixQueue
from data_protection.drift.cloudtrail_events import CloudTrailEvent
from data_protection.drift.compose import watcher
from data_protection.drift.metrics import of_look
from data_protection.drift.rechecks import recheck
from data_protection.drift.touches import Touch
from data_protection.settings import RecheckSettings
from kernel import aws
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look once at each place that the batch touched."""
    settings = load(RecheckSettings)
    _, partition, _, region, own, *_ = context.invoked_function_arn.split(":")
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, region)
    touches: dict[str, Touch] = {}
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    ours = estate.roles | set(settings.own_role_arns.split(","))
    with processor(event["Records"], partial(_take, touches, ours)):
        processor.process()
    log_failures(processor)
    rechecked = recheck(
        touches,
        run=f"recheck-{context.aws_request_id}",
        estate=estate,
        partition=partition,
        watcher=partial(
            watcher,
            lake_bucket=settings.lake_bucket,
            findings_table=settings.findings_table,
            event_bus=settings.event_bus,
            fixes=FixQueue(aws.sqs(), settings.fix_queue_url),
        ),
    )
    for looked in rechecked.looked:
        logger.info("place looked at", **looked.summary)
        for name, unit, value in of_look(looked):
            metrics.add_metric(name, unit, value)
    for failure in rechecked.failed.values():
        logger.warning("message comes again", error=type(failure).__name__, reason=str(failure))
    metrics.add_metric("TouchesTaken", "Count", len(touches))
    again = [{"itemIdentifier": message} for message in rechecked.failed]
    return {"batchItemFailures": [*processor.response()["batchItemFailures"], *again]}


def _take(touches: dict[str, Touch], ours: frozenset[str], record: SQSRecord) -> None:
    called = CloudTrailEvent.model_validate_json(record.body)
    touch = None if called.is_by(ours) else called.touch
    if touch is not None:
        touches[record.message_id] = touch
