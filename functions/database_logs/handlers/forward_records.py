"""Forward records of the lake to a search engine, redacted.

Trigger: SQS, the search queue; delivered at least once, in any order.
Input: an SQS batch of SegmentParsed. Output: the messages to be delivered again (partial batch response).
Errors: while search is not available or denies the sender, messages come again, and go on where they stopped; they end
in the dead-letter queue after as many deliveries as it says. That is no error of the function, for search may be down
for hours, but counted as SearchRequestsFailed.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.lake import LakeReader
from database_logs.adapters.manifests import ManifestReader
from database_logs.adapters.messages import Messages
from database_logs.adapters.search_engine import SearchEngine, SearchSecret
from database_logs.adapters.search_state import SearchState
from database_logs.contracts import SegmentParsed
from database_logs.search.forwarder import Forwarder, Route
from database_logs.search.sinks import SINKS
from database_logs.settings import ForwardSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the records of each message."""
    settings = load(ForwardSettings)
    engine = SearchEngine(settings.search_url, SearchSecret(aws.secrets(), settings.search_secret_arn).load())
    forwarder = _forwarder(settings, engine, lambda: context.get_remaining_time_in_millis() / 1000)
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], lambda record: _forward(record, forwarder)):
        processor.process()
    log_failures(processor)
    metrics.add_metric("SearchRequestsFailed", "Count", engine.failures)
    return dict(processor.response())


def _forward(record: SQSRecord, forwarder: Forwarder) -> None:
    parsed = SegmentParsed.model_validate_json(record.body)
    forwarded = forwarder.forward(parsed, record.message_id)
    logger.info("segment forwarded", key=parsed.segment.key, **forwarded.model_dump(exclude={"spans"}))
    metrics.add_metric("RecordsForwarded", "Count", forwarded.stored)
    metrics.add_metric("RecordsLateToSearch", "Count", forwarded.late)
    metrics.add_metric("RecordsRefusedBySearch", "Count", forwarded.refused)


def _forwarder(settings: ForwardSettings, engine: SearchEngine, remaining: Callable[[], float]) -> Forwarder:
    s3 = aws.s3()
    return Forwarder(
        LakeReader(s3, settings.lake_bucket),
        ManifestReader(s3, settings.lake_bucket),
        engine,
        SearchState(s3, settings.lake_bucket),
        sink=SINKS[settings.search_kind],
        route=Route(
            settings.search_stream,
            settings.search_late_stream,
            _hours(settings.search_past_hours),
            _hours(settings.search_future_hours),
        ),
        now=utc_now,
        random=random.SystemRandom().random,
        pause=time.sleep,
        remaining=remaining,
        verification=Messages(aws.sqs(), settings.search_verify_queue_url)
        if settings.search_verify_queue_url
        else None,
        one_in=settings.search_verify_one_in,
    )


def _hours(hours: int) -> timedelta | None:
    return timedelta(hours=hours) if hours else None
