"""Reconcile a day: a second pair of eyes over everything that it is made of, and the plan of its next version.

Trigger: state ReconcileDay of seal_day. Input: SealStep. Output: ReconcileDayResult.
Errors: FeedConfigInvalid, SealMissing (never retried); a disagreement is no error here but the verdict, which the
machine acts upon.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.days import DayReader
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import LakeFooters, RawFooters
from firewall_logs.adapters.lake import LakeListing, ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.runs import ReceiptReader
from firewall_logs.adapters.sealed import SealedReader
from firewall_logs.adapters.seals import SealPlans
from firewall_logs.days.contracts import ReconcileDayResult, SealStep
from firewall_logs.days.reconciler import DayReconciler
from firewall_logs.reconciliation import in_words
from firewall_logs.settings import ReconcileDaySettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the verdict and its evidence, and the plan where there is something to seal."""
    step = SealStep.model_validate(event)
    settings = load(ReconcileDaySettings)
    plans = SealPlans(aws.s3(), settings.runs_bucket)
    found = _reconciler(settings, context).reconcile(step)
    plans.write_reconciliation(found.verdict)
    if found.plan is not None:
        plans.write(found.plan)
    disagreements = found.verdict.disagreements
    logger.info("day reconciled", day=str(step.event_date), disagreements=len(disagreements))
    metrics.add_metric("DayWitnessesDisagreed", "Count", len(disagreements))
    return ReconcileDayResult(
        seal_id=step.seal_id,
        event_date=step.event_date,
        version=found.version,
        unchanged=found.plan is None,
        disagreements=len(disagreements),
        first=next(map(in_words, disagreements), None),
        bucket=plans.bucket,
        units_key=plans.units_key(step.seal_id),
        units=len(found.plan.cuts) if found.plan else 0,
    ).model_dump(mode="json")


def _reconciler(settings: ReconcileDaySettings, context: LambdaContext) -> DayReconciler:
    s3, dynamodb = aws.s3(), aws.dynamodb()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return DayReconciler(
        feeds,
        DayReader(dynamodb, settings.days_table),
        SealedReader(s3, settings.lake_bucket),
        ManifestReader(s3, settings.lake_bucket),
        ReceiptReader(s3, settings.runs_bucket),
        ledger=LedgerReader(dynamodb, settings.ledger_table),
        listing=LakeListing(s3, settings.lake_bucket),
        footers=LakeFooters(s3, settings.lake_bucket),
        raw_footers=RawFooters(SourceClients(feeds, s3, context.function_name)),
    )
