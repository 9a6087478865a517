"""Compact one cut of a day: its rows from all inputs of the plan into one file of events and one of hourly counts.

Trigger: a child of the Distributed Map CompactUnits of seal_day. Input: CompactionUnit. Output: CompactionUnitResult.
Errors: PlanMissing, InputGone, InputUnsorted, CutMismatch, EffectConflict (never retried); everything else is
transient, and a retry finds what the attempt before it wrote.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.days.compose import compactor
from firewall_logs.days.contracts import CompactionUnit, CompactionUnitResult
from firewall_logs.settings import CompactSettings
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the cut into the lake, or find that it is."""
    unit = CompactionUnit.model_validate(event)
    logger.append_keys(seal_id=unit.seal_id, event_date=unit.event_date, unit=unit.index)
    receipt = compactor(load(CompactSettings), int(context.memory_limit_in_mb)).compact(unit)
    proof = receipt.proof
    result = CompactionUnitResult(
        index=proof.index, rows_in=proof.rows_in, rows_out=proof.rows_out, duplicates=proof.duplicates
    )
    logger.info("cut compacted", rows_out=result.rows_out, duplicates=result.duplicates)
    metrics.add_metric("CutsCompacted", "Count", 1)
    return result.model_dump(mode="json")
