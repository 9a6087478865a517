"""Decide what a backfill does next: run a wave, wait, or end.

Trigger: state NextWave of backfill, after the plan and after each run. Input: NextWaveInput. Output: WaveDecision.
Errors: BackfillUnknown, BackfillStuck (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.backfills import Backfills
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.machine import RunWatch
from firewall_logs.adapters.runs import ListWriter, PlanReader, RunOutcomes
from firewall_logs.backfills.conductor import Conductor
from firewall_logs.backfills.contracts import NextWaveInput
from firewall_logs.settings import NextWaveSettings
from firewall_logs.standing import Lookout
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in what became of the last wave and say what comes next."""
    request = NextWaveInput.model_validate(event)
    decision = _conductor(load(NextWaveSettings)).decide(request)
    logger.info("backfill goes on", backfill_id=decision.backfill_id, next=decision.next, run_id=decision.run_id)
    metrics.add_metric("CostBreakersTripped", "Count", int(decision.next == "stopped"))
    metrics.add_metric("ObjectsLeft", "Count", decision.objects_left)
    metrics.add_metric("BackfillUsd", "None", decision.usd)
    return decision.model_dump(mode="json", exclude_none=True)


def _conductor(settings: NextWaveSettings) -> Conductor:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return Conductor(
        Backfills(s3, settings.runs_bucket),
        ListWriter(s3, settings.runs_bucket),
        Lookout(
            feeds,
            LedgerReader(aws.dynamodb(), settings.ledger_table),
            ManifestReader(s3, settings.lake_bucket),
        ),
        plans=PlanReader(s3, settings.runs_bucket),
        outcomes=RunOutcomes(s3, settings.runs_bucket),
        runs=RunWatch(aws.states(), settings.process_objects_arn),
        round_seconds=settings.round_seconds,
    )
