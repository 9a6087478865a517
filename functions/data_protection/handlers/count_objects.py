"""Count the objects of a bucket, or of some files of its inventory, by prefix, storage class, age and size.

Trigger: the machine forecast_lifecycle, once for each part. Input: CountObjects. Output: ObjectsCounted.
Errors: ForecastInvalid, EstateInvalid, AccessRefused (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.bucket_objects import InventoryFiles, Listing
from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.forecasts import ForecastStore
from data_protection.lifecycle.contracts import CountObjects
from data_protection.object_counter import Counter
from data_protection.settings import CountObjectsSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count the objects."""
    asked, settings = CountObjects.model_validate(event), load(CountObjectsSettings)
    store = ForecastStore(aws.s3(), settings.lake_bucket, asked.run, asked.time.date())
    plan = store.plan()
    counter = Counter(plan, utc_now())
    if plan.inventory_bucket:
        counted = counter.of_files(InventoryFiles(aws.s3(), plan.inventory_bucket), asked.part)
    else:
        _, _, _, own_region, own, *_ = context.invoked_function_arn.split(":")
        estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, own_region)
        clients = Clients.reading(estate.account(plan.account))
        counted = counter.of_listing(
            Listing(
                clients.s3(plan.region),
                clients.cloudwatch(plan.region),
                plan.asked.bucket,
                plan.account,
                versions=plan.has_versions,
            )
        )
    store.write_counted(asked.part.number, counted)
    told = counted.told()
    logger.info("objects counted", part=asked.part.number, **told.model_dump(mode="json"))
    metrics.add_metric("ObjectsCounted", "Count", told.objects)
    return told.model_dump(mode="json")
