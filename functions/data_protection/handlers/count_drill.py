"""Count the items of a drill's restored table, as far as a budget of capacity and time goes.

Trigger: the machine drill_restore, once the time is kept, until the count is over. Input: DrillRef.
Output: DrillCounted.
Errors: DrillRefused (people must act); everything else is transient.
"""

from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.drill_counts import ScratchCounts
from data_protection.adapters.drills import DrillStore
from data_protection.drills.contracts import DrillCounted, DrillRef
from data_protection.drills.counter import Counter
from data_protection.settings import DrillSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

_RESERVE: Final = 120_000  # milliseconds in which a segment is surely counted


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on counting."""
    asked, settings = DrillRef.model_validate(event), load(DrillSettings)
    store = DrillStore(aws.s3(), settings.lake_bucket, asked.table, asked.run, asked.time.date())
    counter = Counter(store.begun(), ScratchCounts(aws.dynamodb()), store, utc_now)
    count = counter.go_on(store.measured(), lambda: context.get_remaining_time_in_millis() < _RESERVE)
    counted = DrillCounted(is_over=count.is_over, is_whole=count.is_whole, items=count.items)
    logger.info("restored items counted", table=asked.table, note=count.note, **counted.model_dump(mode="json"))
    metrics.add_metric("RestoredItemsCounted", "Count", count.items if count.is_over else 0)
    return counted.model_dump(mode="json")
