"""Delete the scratch table of a drill.

Trigger: the machine drill_restore, at the end of a drill however it went, until nothing is left. Input: DrillRef.
Output: DrillEnded.
Errors: DrillRefused (the table is none of this drill, and left alone; people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.drill_deletions import ScratchTables
from data_protection.adapters.drills import DrillStore
from data_protection.drills.contracts import DrillRef
from data_protection.drills.driller import end
from data_protection.settings import DrillSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """End the drill."""
    asked, settings = DrillRef.model_validate(event), load(DrillSettings)
    store = DrillStore(aws.s3(), settings.lake_bucket, asked.table, asked.run, asked.time.date())
    ended = end(store.find(), ScratchTables(aws.dynamodb()))
    logger.info("drill ended", table=asked.table, **ended.model_dump(mode="json"))
    metrics.add_metric("ScratchTablesLeft", "Count", int(not ended.is_gone))
    return ended.model_dump(mode="json")
