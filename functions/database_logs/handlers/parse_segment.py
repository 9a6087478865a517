"""Parse raw segments into the lake and tell search of them.

Trigger: SQS, the parsing queue; delivered at least once, in any order.
Input: an SQS batch of SegmentCommitted. Output: the messages to be delivered again (partial batch response).
Errors: a message that is none, a raw segment that is gone or damaged, and parsers that changed under one version come
again and end in the dead-letter queue; what was written before stays and is not written again. A batch of which
nothing succeeds, as any of one, is BatchProcessingError with the reasons: an error of the function.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.lake import LakeWriter
from database_logs.adapters.manifests import Manifests
from database_logs.adapters.messages import Messages
from database_logs.adapters.segments import RawSegments
from database_logs.contracts import SegmentCommitted
from database_logs.costs import usd
from database_logs.segment_parser import SegmentParser
from database_logs.settings import ParseSettings
from kernel import aws
from kernel.metering import Meter
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse the segment of each message."""
    settings = load(ParseSettings)
    parser = _parser(settings)
    processor = BatchProcessor(event_type=EventType.SQS)
    with processor(event["Records"], partial(_parse, settings, parser, context)):
        processor.process()
    log_failures(processor)
    return dict(processor.response())


def _parse(settings: ParseSettings, parser: SegmentParser, context: LambdaContext, record: SQSRecord) -> None:
    meter = Meter(int(context.memory_limit_in_mb))
    segment = SegmentCommitted.model_validate_json(record.body)
    manifest = parser.parse(segment)
    cost = usd(meter.read(), settings.architecture)
    logger.info(
        "segment parsed",
        instance=segment.file.instance_id,
        tags=segment.file.tags,
        key=segment.key,
        bytes=segment.end - segment.start,
        records=manifest.records,
        files=len(manifest.files),
        usd=cost,
    )
    if manifest.damaged is not None:
        logger.warning("raw segment damaged", key=segment.key, reason=manifest.damaged)
    metrics.add_metric("SegmentsDamaged", "Count", manifest.damaged is not None)
    metrics.add_metric("UsdEstimated", "None", cost)
    metrics.add_metric("SegmentsParsed", "Count", 1)
    metrics.add_metric("RecordsParsed", "Count", manifest.records)
    metrics.add_metric("RecordsUnparsed", "Count", manifest.unparsed)
    metrics.add_metric("BytesParsed", "Bytes", segment.end - segment.start)


def _parser(settings: ParseSettings) -> SegmentParser:
    s3 = aws.s3()
    return SegmentParser(
        RawSegments(s3, settings.segments_bucket),
        LakeWriter(s3, settings.lake_bucket),
        Manifests(s3, settings.lake_bucket),
        Messages(aws.sqs(), settings.search_queue_url) if settings.search_queue_url else None,
    )
