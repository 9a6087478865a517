"""Reconcile a run: a second pair of eyes over everything it wrote.

Trigger: state ReconcileRun of process_objects. Input: RunStep. Output: ReconcileResult.
Errors: PlanMissing (never retried); a disagreement is no error here but the verdict, which the machine acts upon.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.footers import LakeFooters
from firewall_logs.adapters.lake import LakeListing
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.runs import Evidence, PlanReader, ReceiptReader
from firewall_logs.contracts import ReconcileResult, RunStep
from firewall_logs.reconciler import Reconciler
from firewall_logs.reconciliation import in_words
from firewall_logs.settings import ReconcileSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.metering import Meter
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the verdict and its evidence."""
    meter = Meter(int(context.memory_limit_in_mb))
    run_id = RunStep.model_validate(event).run_id
    settings = load(ReconcileSettings)
    plan = PlanReader(aws.s3(), settings.runs_bucket).require(run_id, "ReconcileRun")
    verdict = _reconciler(settings).reconcile(plan, utc_now())
    taken = meter.read()
    Evidence(aws.s3(), settings.runs_bucket).write_reconciliation(verdict.model_copy(update={"taken": taken}))
    logger.info("run reconciled", run_id=run_id, disagreements=len(verdict.disagreements))
    metrics.add_metric("WitnessesDisagreed", "Count", len(verdict.disagreements))
    return ReconcileResult(
        run_id=run_id,
        reconciled=verdict.reconciled,
        disagreements=len(verdict.disagreements),
        first=next(map(in_words, verdict.disagreements), None),
        account=verdict.account,
    ).model_dump(mode="json")


def _reconciler(settings: ReconcileSettings) -> Reconciler:
    s3 = aws.s3()
    return Reconciler(
        ReceiptReader(s3, settings.runs_bucket),
        LakeFooters(s3, settings.lake_bucket),
        LakeListing(s3, settings.lake_bucket),
        LedgerReader(aws.dynamodb(), settings.ledger_table),
    )
