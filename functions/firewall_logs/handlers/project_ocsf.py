"""Bring the OCSF dataset of a day in step with its newest seal.

Trigger: SQS, where EventBridge puts the events `firewall_logs.DaySealed`; delivered at least once, in any order.
Input: an SQS batch. Output: the messages to be delivered again (partial batch response).
Errors: a message that is no such event, and a day that cannot be read, come again and end in the dead-letter queue;
what was written before stays and is not written again. A batch of which nothing succeeds, as any of one, is
BatchProcessingError with the reasons: an error of the function, which its alarm sees.
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.ocsf import OcsfObjects
from firewall_logs.adapters.sealed import SealedDays
from firewall_logs.days.announcements import DaySealedEvent
from firewall_logs.days.ocsf_projection import OcsfProjector, Place
from firewall_logs.settings import OcsfSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Project the day of each message."""
    settings = load(OcsfSettings)
    processor = BatchProcessor(event_type=EventType.SQS)
    with processor(event["Records"], lambda record: _project(record, settings)):
        processor.process()
    return dict(processor.response())


def _project(record: SQSRecord, settings: OcsfSettings) -> None:
    day = DaySealedEvent.model_validate_json(record.body).detail.event_date
    place = Place(settings.ocsf_prefix, settings.ocsf_source, settings.ocsf_region, settings.ocsf_account)
    with tempfile.TemporaryDirectory() as folder:
        projector = OcsfProjector(
            SealedDays(aws.s3(), settings.lake_bucket),
            OcsfObjects(aws.s3(), settings.ocsf_bucket),
            place,
            Path(folder),
        )
        projected = projector.bring_up_to_date(day)
    metrics.add_metric("OcsfObjectsWritten", "Count", projected.written)
    logger.info("day projected", **projected.model_dump(mode="json"))
