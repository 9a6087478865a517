"""Start a run for a batch of new raw objects.

Trigger: SQS, where EventBridge puts S3's `Object Created` events; delivered at least once, in any order.
Input: an SQS batch. Output: the messages to be delivered again (partial batch response).
Errors: a message that is no such event is reported alone, and ends in the dead-letter queue. While the feeds are not
valid, no run is started that would use up the events: the whole batch comes again.
"""

from typing import Any

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.machine import Machine
from firewall_logs.contracts import ObjectRef, RunInput
from firewall_logs.identity import execution_name
from firewall_logs.metrics import announced
from firewall_logs.s3_events import ObjectCreated
from firewall_logs.settings import StartSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start one execution for all objects of the batch, under a name that they determine."""
    settings = load(StartSettings)
    machine = Machine(aws.states(), settings.process_objects_arn)
    refs: dict[ObjectRef, None] = {}
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], lambda record: refs.setdefault(_ref(record))):
        processor.process()
    if refs:
        feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
        started = machine.start(execution_name(refs), RunInput(objects=list(refs)))
        logger.info("batch taken", objects=len(refs), started=started)
        for feed, objects in announced(refs, feeds).items():
            with single_metric("ObjectsAnnounced", MetricUnit.Count, objects) as metric:
                metric.add_dimension("feed", feed)
    return dict(processor.response())


def _ref(record: SQSRecord) -> ObjectRef:
    return ObjectCreated.model_validate_json(record.body).ref
