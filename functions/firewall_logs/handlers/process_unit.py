"""Process one unit of a plan: its slices into files of the lake, with a receipt each.

Trigger: a child of the Distributed Map ProcessUnits. Input: Unit. Output: UnitResult.
Errors: FeedConfigInvalid, LeaseLost, SourceChanged, SourceUnreadable, EffectConflict (never retried); everything else
is transient, and a retry goes on where the attempt before it stopped.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.lake import LakeWriter
from firewall_logs.adapters.ledger import LedgerLease
from firewall_logs.adapters.runs import ReceiptBook
from firewall_logs.adapters.source import SourceReader
from firewall_logs.contracts import Unit
from firewall_logs.settings import ProcessSettings
from firewall_logs.worker import Worker
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work through the slices of the unit."""
    unit = Unit.model_validate(event)
    logger.append_keys(run_id=unit.run_id, unit=unit.unit)
    result, receipts = _worker(load(ProcessSettings), context).work(unit)
    logger.info("unit processed", slices=result.slices, **result.account.model_dump())
    metrics.add_metric("SlicesProcessed", "Count", len(receipts))
    return result.model_dump(mode="json")


def _worker(settings: ProcessSettings, context: LambdaContext) -> Worker:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return Worker(
        SourceReader(SourceClients(feeds, s3, context.function_name)),
        LakeWriter(s3, settings.lake_bucket),
        ReceiptBook(s3, settings.runs_bucket),
        LedgerLease(aws.dynamodb(), settings.ledger_table),
        lease_seconds=settings.lease_seconds,
        memory_mb=int(context.memory_limit_in_mb),
        now=utc_now,
    )
