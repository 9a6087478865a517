"""Plan a backfill: list its range, leave out what is in the lake, cut the rest into waves and estimate them.

Trigger: state PlanBackfill of backfill, again and again until the plan is complete. Input: PlanBackfillInput. Output:
PlanBackfillResult.
Errors: FeedConfigInvalid, FeedUnknown, ListInvalid, SourceUnreadable, BackfillUnknown, EffectConflict (never retried);
everything else is transient, and another call goes on where this one stopped.
"""

from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.backfills import Backfills
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import RawFooters
from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.runs import ObjectLists
from firewall_logs.adapters.source import SourceCatalogue, SourceListing
from firewall_logs.backfills.contracts import PlanBackfillInput
from firewall_logs.backfills.estimate import Capacity
from firewall_logs.backfills.listing import Listing
from firewall_logs.backfills.opening import Opening
from firewall_logs.backfills.planner import BackfillPlanner
from firewall_logs.settings import PlanBackfillSettings
from firewall_logs.standing import Lookout
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

# Left when no more is listed: for a chunk that has begun, and the wave it completes.
_RESERVE_MS: Final = 300_000


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with the plan for as long as the function may run."""
    step = PlanBackfillInput.model_validate(event)
    settings = load(PlanBackfillSettings)
    backfills = Backfills(aws.s3(), settings.runs_bucket)
    opening = Opening(backfills, step)
    request = opening.request(settings.max_usd)
    capacity = Capacity(
        architecture=settings.architecture,
        concurrency=request.max_concurrency or settings.max_concurrency,
        unit_bytes=settings.unit_mb << 20,
        heavy_bytes=settings.batch_mb << 20,
        task_memory_mb=settings.batch_memory_mb,
        engine=request.engine or "auto",
    )
    planning = _planner(settings, backfills, capacity, context).advance(
        opening.backfill_id, request, lambda: context.get_remaining_time_in_millis() < _RESERVE_MS
    )
    result = opening.plan(request, planning, capacity, utc_now())
    logger.info("backfill planned", backfill_id=result.backfill_id, planned=result.planned, listed=result.listed)
    metrics.add_metric("WavesPlanned", "Count", result.waves)
    return result.model_dump(mode="json")


def _planner(
    settings: PlanBackfillSettings, backfills: Backfills, capacity: Capacity, context: LambdaContext
) -> BackfillPlanner:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    sources = SourceClients(feeds, s3, context.function_name)
    ledger = LedgerReader(aws.dynamodb(), settings.ledger_table)
    return BackfillPlanner(
        feeds,
        Listing(feeds, SourceListing(sources), SourceCatalogue(sources), ObjectLists(s3, settings.runs_bucket)),
        Lookout(feeds, ledger, ManifestReader(s3, settings.lake_bucket)),
        RawFooters(sources),
        backfills,
        capacity=capacity,
    )
