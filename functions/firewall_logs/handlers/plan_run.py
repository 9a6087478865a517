"""Plan a run: claim its objects, cut them into slices, pack these into units.

Trigger: state PlanRun of process_objects. Input: PlanInput. Output: PlanResult.
Errors: BatchDisabled, FeedConfigInvalid, FeedUnknown, ListInvalid, RequestTooLarge, RunGivenUp, SourceUnreadable (never
retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import RawFooters
from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.ledger import LedgerClaims, LedgerReleases
from firewall_logs.adapters.runs import ObjectLists, Plans
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.contracts import PlanInput, PlanResult, RunPlan
from firewall_logs.engines import Engines
from firewall_logs.errors import RunGivenUp
from firewall_logs.planner import Planner
from firewall_logs.settings import PlanSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.metering import Meter
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the plan of a run, or find the one that an earlier attempt wrote."""
    meter = Meter(int(context.memory_limit_in_mb))
    request = PlanInput.model_validate(event)
    settings = load(PlanSettings)
    plans = Plans(aws.s3(), settings.runs_bucket)
    plan = plans.read(request.run_id)
    if plan is None:
        planner = _planner(settings, request, context)
        candidates = planner.find(request)
        intent = plans.intend(request.run_id, filter(None, (candidate.object_id for candidate in candidates)))
        plan, work = planner.plan(request, candidates, utc_now())
        _release(plan, intent, plans.given_up(request.run_id), settings)
        plans.write(plan.model_copy(update={"taken": meter.read()}), work.units, work.batch)
    logger.info(
        "run planned", run_id=plan.run_id, objects=len(plan.objects), units=plan.units, batch_units=plan.batch_units
    )
    metrics.add_metric("UnitsPlanned", "Count", plan.units + plan.batch_units)
    return PlanResult(
        run_id=plan.run_id,
        bucket=plans.bucket,
        plan_key=plans.plan_key(plan.run_id),
        units_key=plans.units_key(plan.run_id),
        units=plan.units,
        batch_key=plans.batch_key(plan.run_id),
        batch_units=plan.batch_units,
        objects=len(plan.objects),
    ).model_dump(mode="json")


def _planner(settings: PlanSettings, request: PlanInput, context: LambdaContext) -> Planner:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    sources = SourceClients(feeds, s3, context.function_name)
    return Planner(
        feeds,
        ObjectLists(s3, settings.runs_bucket),
        SourceCatalogue(sources),
        footers=RawFooters(sources),
        manifests=ManifestReader(s3, settings.lake_bucket),
        claims=LedgerClaims(aws.dynamodb(), settings.ledger_table),
        engines=Engines(settings.batch_mb << 20, settings.batch_memory_mb, request.input.engine),
        lease_seconds=settings.lease_seconds,
        unit_bytes=settings.unit_mb << 20,
    )


def _release(plan: RunPlan, intent: list[str], given_up: bool, settings: PlanSettings) -> None:  # noqa: FBT001
    """Give back what an earlier attempt claimed and this one does not want, or everything if the run was stopped."""
    kept = () if given_up else {planned.object_id for planned in plan.objects if planned.status == "planned"}
    releases = LedgerReleases(aws.dynamodb(), settings.ledger_table)
    for object_id in intent:
        if object_id not in kept:
            releases.release(object_id, plan.run_id, now=utc_now())
    if given_up:
        raise RunGivenUp(f"Run {plan.run_id} was stopped while it was planned; what it had claimed is given back.")
