"""Commit a run: manifests of what reconciled, the summary, and the event that tells others.

Trigger: state CommitRun of process_objects. Input: RunStep. Output: CommitResult.
Errors: LeaseLost, EffectConflict, PlanMissing (never retried); everything else is transient.
"""

from collections import Counter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.bus import Bus
from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.ledger import LedgerCommits
from firewall_logs.adapters.runs import Evidence, PlanReader, ReceiptReader
from firewall_logs.committer import Committer
from firewall_logs.contracts import CommitResult, RunStep
from firewall_logs.errors import PlanMissing
from firewall_logs.metrics import of_run
from firewall_logs.settings import CommitSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publish every object whose witnesses agree."""
    run_id = RunStep.model_validate(event).run_id
    settings = load(CommitSettings)
    plan = PlanReader(aws.s3(), settings.runs_bucket).read(run_id)
    if plan is None:
        raise PlanMissing(f"Run {run_id} has no plan.json: PlanRun comes before CommitRun.")
    evidence = Evidence(aws.s3(), settings.runs_bucket)
    summary = _committer(settings).commit(
        plan, evidence.read_reconciliation(run_id), architecture=settings.architecture, now=utc_now()
    )
    found = Counter(planned.status for planned in plan.objects)
    result = CommitResult(
        run_id=run_id,
        reconciled=summary.reconciled,
        objects_committed=summary.objects_committed,
        objects_committed_before=found["committed_before"],
        objects_leased_elsewhere=found["leased_elsewhere"],
        account=summary.account,
        usd=summary.usd,
        summary_key=evidence.write_summary(summary),
    )
    Bus(aws.events(), settings.event_bus).publish("firewall_logs.RunCommitted", result)
    for name, unit, value in of_run(summary):
        metrics.add_metric(name, unit, value)
    logger.info("run committed", run_id=run_id, objects=summary.objects_committed)
    return result.model_dump(mode="json")


def _committer(settings: CommitSettings) -> Committer:
    s3 = aws.s3()
    return Committer(
        ReceiptReader(s3, settings.runs_bucket),
        Manifests(s3, settings.lake_bucket),
        LedgerCommits(aws.dynamodb(), settings.ledger_table),
    )
