"""Look whether a drill's table is restored; once it is, compare it with its source, and keep the time.

Trigger: the machine drill_restore, every half minute. Input: DrillRef. Output: DrillChecked.
Errors: DrillRefused (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.drill_looks import Looks
from data_protection.adapters.drills import DrillStore
from data_protection.drills.contracts import DrillRef
from data_protection.drills.driller import check
from data_protection.settings import DrillSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check the drill."""
    asked, settings = DrillRef.model_validate(event), load(DrillSettings)
    store = DrillStore(aws.s3(), settings.lake_bucket, asked.table, asked.run, asked.time.date())
    checked, found = check(store.begun(), Looks(aws.dynamodb()), store, utc_now())
    logger.info("drill checked", table=asked.table, **checked.model_dump(mode="json"))
    if found is not None:
        metrics.add_metric("RestoreSeconds", "Seconds", found.seconds)
        metrics.add_metric("RestoreTargetsMissed", "Count", (not found.meets_rto) + (not found.meets_rpo))
    return checked.model_dump(mode="json")
