"""Plan a replay of database logs from RDS: find what the lake lacks and RDS may still have, and list it.

Trigger: state PlanRdsReplay of replay_logs. Input: PlanLogReplayInput. Output: LogReplayPlan.
Errors: FleetInvalid and ReplayDiffers (never retried), ApiThrottled; everything else is transient. Another call returns
the plan that stands.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.apis import ListingApis
from database_logs.adapters.fleet import FleetParameter
from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.manifests import ManifestReader
from database_logs.adapters.replay_pages import ReplayPages
from database_logs.adapters.segments import SegmentList
from database_logs.adapters.tracking import Ledger
from database_logs.adapters.turns import Turns
from database_logs.contracts import PlanLogReplayInput
from database_logs.rds_replays import RdsReplayPlanner
from database_logs.settings import PlanRdsReplaySettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan, or return the plan of this replay."""
    step = PlanLogReplayInput.model_validate(event)
    settings = load(PlanRdsReplaySettings)
    s3, dynamodb = aws.s3(), aws.dynamodb()
    fleet = FleetParameter(aws.ssm(), settings.fleet_parameter).load()
    # Without a Valkey, which is only reached from the subnets of discovery and collection.
    apis = ListingApis(fleet, dynamodb, (settings.tracking_table, settings.metadata_table), "", utc_now)
    planner = RdsReplayPlanner(
        fleet,
        apis.of,
        Turns(dynamodb, settings.tracking_table),
        InstanceFacts(dynamodb, settings.metadata_table, utc_now),
        Ledger(dynamodb, settings.tracking_table),
        SegmentList(s3, settings.segments_bucket),
        ManifestReader(s3, settings.lake_bucket),
        ReplayPages(s3, settings.lake_bucket),
    )
    plan = planner.plan(step)
    apis.measure(metrics)
    logger.info("replay planned", **plan.model_dump(exclude={"input"}))
    return plan.model_dump(mode="json")
