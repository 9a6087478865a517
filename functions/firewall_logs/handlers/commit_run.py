"""Commit a run: manifests of what reconciled, the summary, and the event that tells others.

Trigger: state CommitRun of process_objects. Input: RunStep. Output: CommitResult.
Errors: CommitRefused, PlanMissing (never retried); everything else is transient.
"""

from collections import Counter
from itertools import islice
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DayIndex
from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.ledger import LedgerCommits
from firewall_logs.adapters.runs import Evidence, PlanReader, ReceiptReader
from firewall_logs.adapters.sealed import SealedReader
from firewall_logs.committer import Committer
from firewall_logs.contracts import CommitResult, RunStep, RunSummary
from firewall_logs.errors import CommitRefused
from firewall_logs.metrics import of_run
from firewall_logs.settings import CommitSettings
from kernel import aws, prices
from kernel.bus import Bus
from kernel.clock import utc_now
from kernel.metering import Meter
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

_TOLD: Final = 10  # of the refused objects: the cause of a failed state holds 32 KiB


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publish every object whose witnesses agree; fail last, and only for those that were refused."""
    meter = Meter(int(context.memory_limit_in_mb))
    run_id = RunStep.model_validate(event).run_id
    settings = load(CommitSettings)
    plan = PlanReader(aws.s3(), settings.runs_bucket).require(run_id, "CommitRun")
    evidence = Evidence(aws.s3(), settings.runs_bucket)
    for problem in prices.problems(utc_now().date()):
        logger.warning("prices are to be doubted", problem=problem)
    summary, reopened = _committer(settings).commit(
        plan, evidence.read_reconciliation(run_id), architecture=settings.architecture, now=utc_now(), taken=meter.read
    )
    found = Counter(planned.status for planned in plan.objects)
    result = CommitResult(
        run_id=run_id,
        reconciled=summary.reconciled,
        objects_committed=summary.objects_committed,
        objects_refused=len(summary.objects_refused),
        objects_committed_before=found["committed_before"],
        objects_leased_elsewhere=found["leased_elsewhere"],
        account=summary.account,
        usd=summary.usd,
        summary_key=evidence.write_summary(summary),
    )
    bus = Bus(aws.events(), settings.event_bus, "firewall_logs")
    for day in reopened:
        bus.publish("DayReopened", day)
    bus.publish("RunCommitted", result)
    metrics.add_metric("DaysReopened", "Count", len(reopened))
    for name, unit, value in of_run(summary):
        metrics.add_metric(name, unit, value)
    logger.info("run committed", run_id=run_id, objects=summary.objects_committed)
    _require_all(summary)
    return result.model_dump(mode="json")


def _require_all(summary: RunSummary) -> None:
    refused = summary.objects_refused
    if refused:
        told = " ".join(f"{object_id}: {why}" for object_id, why in islice(refused.items(), _TOLD))
        rest = f" summary.json names the other {len(refused) - _TOLD}." if len(refused) > _TOLD else ""
        raise CommitRefused(
            f"{summary.objects_committed} objects were committed, {len(refused)} were not. {told}{rest}"
        )


def _committer(settings: CommitSettings) -> Committer:
    s3 = aws.s3()
    return Committer(
        ReceiptReader(s3, settings.runs_bucket),
        Manifests(s3, settings.lake_bucket),
        DayIndex(aws.dynamodb(), settings.days_table),
        SealedReader(s3, settings.lake_bucket),
        LedgerCommits(aws.dynamodb(), settings.ledger_table),
    )
