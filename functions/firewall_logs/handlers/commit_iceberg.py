"""Commit the newest version of a sealed day to the Iceberg table.

Trigger: SQS FIFO with one message group, where EventBridge puts the events `firewall_logs.DaySealed`: one at a time.
Input: an SQS batch. Output: the messages to be delivered again (partial batch response).
Errors: a message that is no such event, and a day that cannot be committed, come again and end in the dead-letter
queue. What the table has already is not committed again. A batch of which nothing succeeds, as any of one, is
BatchProcessingError with the reasons: an error of the function, which its alarm sees.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.iceberg import IcebergEvents
from firewall_logs.adapters.sealed import SealedDays
from firewall_logs.days.announcements import DaySealedEvent
from firewall_logs.settings import IcebergSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Commit the day of each message."""
    settings = load(IcebergSettings)
    processor = BatchProcessor(event_type=EventType.SQS)
    with processor(event["Records"], lambda record: _commit(record, settings)):
        processor.process()
    return dict(processor.response())


def _commit(record: SQSRecord, settings: IcebergSettings) -> None:
    day = DaySealedEvent.model_validate_json(record.body).detail.event_date
    # Which version an event names does not matter: versions replace each other, and only the newest has its files.
    sealed = SealedDays(aws.s3(), settings.lake_bucket).newest(day)
    table = IcebergEvents(settings.iceberg_catalog, settings.iceberg_table, f"s3://{settings.lake_bucket}")
    committed = table.commit(sealed)
    metrics.add_metric("DaysCommitted", "Count", int(committed))
    logger.info("day committed", event_date=day.isoformat(), version=sealed.version, changed=committed)
