"""Verify that OpenObserve has the documents that it said to have stored, of some segments.

Trigger: SQS, the verification queue, whose messages are delayed; delivered at least once, in any order.
Input: an SQS batch of SegmentForwarded. Output: the messages to be delivered again (partial batch response).
Errors: while search does not answer, and where it lacks documents for good, messages come again and end in the
dead-letter queue. A batch of which nothing succeeds, as any of one, is BatchProcessingError with the reasons.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.messages import Messages
from database_logs.adapters.search_engine import SearchEngine, SearchSecret
from database_logs.contracts import SegmentForwarded
from database_logs.search.verification import Verifier
from database_logs.settings import VerifySettings
from kernel import aws
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look for the documents of each message."""
    settings = load(VerifySettings)
    engine = SearchEngine(settings.search_url, SearchSecret(aws.secrets(), settings.search_secret_arn).load())
    verifier = Verifier(engine, Messages(aws.sqs(), settings.search_queue_url))
    processor = BatchProcessor(event_type=EventType.SQS)
    with processor(event["Records"], lambda record: _verify(record, verifier)):
        processor.process()
    log_failures(processor)
    return dict(processor.response())


def _verify(record: SQSRecord, verifier: Verifier) -> None:
    forwarded = SegmentForwarded.model_validate_json(record.body)
    verified = verifier.verify(forwarded)
    logger.info("search verified", key=forwarded.parsed.segment.key, **verified.model_dump())
    metrics.add_metric("RecordsVerifiedInSearch", "Count", verified.found)
    metrics.add_metric("RecordsMissingInSearch", "Count", verified.missing)
