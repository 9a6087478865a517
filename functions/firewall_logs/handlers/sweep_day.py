"""Sweep a day: take it for this seal, and find the objects of its window that no run has committed.

Trigger: state SweepDay of seal_day. Input: SweepInput. Output: SweepResult.
Errors: DayBusy, FeedConfigInvalid, SourceUnreadable (never retried); everything else is transient.
"""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.days import DayReader, DaySeals
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.runs import ListWriter
from firewall_logs.adapters.sealed import SealedReader
from firewall_logs.adapters.seals import SealIntents
from firewall_logs.adapters.source import SourceListing
from firewall_logs.days.contracts import SealIntent, SweepInput, SweepResult
from firewall_logs.days.surveyor import parts_of
from firewall_logs.days.sweeper import Sweeper, lists_of, unfinished
from firewall_logs.days.window import Window
from firewall_logs.settings import SweepSettings
from firewall_logs.standing import Lookout
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Claim the day, compare source and ledger, and write lists of what is left to process."""
    request = SweepInput.model_validate(event)
    settings = load(SweepSettings)
    day = request.input.date
    SealIntents(aws.s3(), settings.runs_bucket).write(SealIntent(seal_id=request.seal_id, event_date=day))
    seals = DaySeals(aws.dynamodb(), settings.days_table)
    seals.claim(day, request.seal_id, now=utc_now(), lease_seconds=settings.lease_seconds)
    as_of = request.started_at - timedelta(seconds=settings.grace_seconds)
    swept = _sweeper(settings, context).sweep(Window.of(day, as_of))
    refusal = swept.refusal(settings.most_swept_gb * 10**9)
    lists = ListWriter(aws.s3(), settings.runs_bucket)
    state = DayReader(aws.dynamodb(), settings.days_table).state(day)
    logger.info("day swept", day=str(day), round=request.round, listed=swept.listed, missing=len(swept.missing))
    metrics.add_metric("ObjectsSwept", "Count", len(swept.missing) if request.round == 0 else 0)
    return SweepResult(
        seal_id=request.seal_id,
        event_date=day,
        as_of=as_of,
        round=request.round,
        listed=swept.listed,
        missing=len(swept.missing),
        held=swept.held,
        first=next((f"s3://{ref.bucket}/{ref.key}" for ref in swept.missing), None),
        refusal=refusal,
        lists=[] if refusal else lists_of(request.seal_id, request.round, swept.missing, lists),
        surveys=parts_of(request.seal_id, day, swept.listed, settings.survey_objects),
        unfinished=unfinished(state, SealedReader(aws.s3(), settings.lake_bucket)),
    ).model_dump(mode="json")


def _sweeper(settings: SweepSettings, context: LambdaContext) -> Sweeper:
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return Sweeper(
        feeds,
        SourceListing(SourceClients(feeds, aws.s3(), context.function_name)),
        Lookout(
            feeds,
            LedgerReader(aws.dynamodb(), settings.ledger_table),
            ManifestReader(aws.s3(), settings.lake_bucket),
        ),
    )
