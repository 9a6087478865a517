"""Plan a run: claim its objects, cut them into slices, pack these into units.

Trigger: state PlanRun of process_objects. Input: PlanInput. Output: PlanResult.
Errors: FeedConfigInvalid, FeedUnknown (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import RawFooters
from firewall_logs.adapters.ledger import LedgerClaims
from firewall_logs.adapters.runs import Plans
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.contracts import PlanInput, PlanResult
from firewall_logs.planner import Planner
from firewall_logs.settings import PlanSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the plan of a run, or find the one that an earlier attempt wrote."""
    request = PlanInput.model_validate(event)
    settings = load(PlanSettings)
    plans = Plans(aws.s3(), settings.runs_bucket)
    plan = plans.read(request.run_id)
    if plan is None:
        planner = _planner(settings)
        candidates = planner.find(request)
        plans.intend(request.run_id, filter(None, (candidate.object_id for candidate in candidates)))
        plan, units = planner.plan(request, candidates, utc_now())
        plans.write(plan, units)
    logger.info("run planned", run_id=plan.run_id, objects=len(plan.objects), units=plan.units)
    metrics.add_metric("UnitsPlanned", "Count", plan.units)
    return PlanResult(
        run_id=plan.run_id,
        bucket=plans.bucket,
        plan_key=plans.plan_key(plan.run_id),
        units_key=plans.units_key(plan.run_id),
        units=plan.units,
        objects=len(plan.objects),
    ).model_dump(mode="json")


def _planner(settings: PlanSettings) -> Planner:
    s3 = aws.s3()
    return Planner(
        FeedsParameter(aws.ssm(), settings.feeds_parameter).load(),
        SourceCatalogue(s3),
        RawFooters(s3),
        LedgerClaims(aws.dynamodb(), settings.ledger_table),
        lease_seconds=settings.lease_seconds,
        unit_bytes=settings.unit_mb << 20,
    )
