"""Reconcile a day: a second pair of eyes over everything that it is made of, and the plan of its next version.

Trigger: state ReconcileDay of seal_day. Input: SealStep. Output: ReconcileDayResult.
Errors: FeedConfigInvalid, SealMissing, CutTooHeavy (never retried); a disagreement is no error here but the verdict,
which the machine acts upon.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.days import DayReader
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import InputFooters, RawFooters
from firewall_logs.adapters.lake import LakeListing, ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.runs import ReceiptReader
from firewall_logs.adapters.sealed import SealedReader
from firewall_logs.adapters.seals import SealPlans, SurveyReader
from firewall_logs.days.contracts import ReconcileDayResult, SealStep
from firewall_logs.days.engines import Engines
from firewall_logs.days.reconciler import DayReconciler
from firewall_logs.days.surveyor import Surveyor
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
    planned = found.planned
    if planned is not None:
        plans.write(planned)
    disagreements = found.verdict.disagreements
    logger.info("day reconciled", day=str(step.event_date), disagreements=len(disagreements))
    metrics.add_metric("DayWitnessesDisagreed", "Count", len(disagreements))
    return ReconcileDayResult(
        seal_id=step.seal_id,
        event_date=step.event_date,
        version=found.version,
        unchanged=planned is None and not disagreements,
        disagreements=len(disagreements),
        first=next(map(in_words, disagreements), None),
        bucket=plans.bucket,
        units_key=plans.units_key(step.seal_id),
        units=len(planned.units) if planned else 0,
        batch_key=plans.batch_key(step.seal_id),
        batch_units=len(planned.tasks) if planned else 0,
    ).model_dump(mode="json")


def _reconciler(settings: ReconcileDaySettings, context: LambdaContext) -> DayReconciler:
    s3, dynamodb = aws.s3(), aws.dynamodb()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    footers = InputFooters(s3, settings.lake_bucket)
    return DayReconciler(
        DayReader(dynamodb, settings.days_table),
        SealedReader(s3, settings.lake_bucket),
        Surveyor(
            feeds,
            ManifestReader(s3, settings.lake_bucket),
            ReceiptReader(s3, settings.runs_bucket),
            footers=footers,
            raw_footers=RawFooters(SourceClients(feeds, s3, context.function_name)),
        ),
        SurveyReader(s3, settings.runs_bucket),
        ledger=LedgerReader(dynamodb, settings.ledger_table),
        listing=LakeListing(s3, settings.lake_bucket),
        footers=footers,
        feeds=feeds,
        engines=Engines(settings.batch_day_mb << 20, settings.batch_memory_mb),
    )
