"""Restore a table to a scratch table beside it, to the latest moment there is.

Trigger: the machine drill_restore. Input: StartDrill. Output: DrillStarted.
Errors: DrillRefused (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.drill_restores import Restores
from data_protection.adapters.drills import DrillStore
from data_protection.drills.contracts import DrillStarted, StartDrill
from data_protection.drills.driller import start
from data_protection.settings import DrillSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask for the restore."""
    asked, settings = StartDrill.model_validate(event), load(DrillSettings)
    store = DrillStore(aws.s3(), settings.lake_bucket, asked.table, asked.run, asked.time.date())
    drill = start(asked, Restores(aws.dynamodb()), store, utc_now())
    logger.info("drill started", table=asked.table, scratch=drill.scratch)
    metrics.add_metric("DrillsStarted", "Count", 1)
    return DrillStarted(scratch=drill.scratch, restored_to=drill.restored_to).model_dump(mode="json")
