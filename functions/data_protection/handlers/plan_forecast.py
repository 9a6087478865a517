"""Plan a forecast of what a bucket costs: which lifecycle, and what is to be counted.

Trigger: the machine forecast_lifecycle. Input: PlanForecast. Output: ForecastPlanned.
Errors: ForecastInvalid, EstateInvalid, ProfileInvalid, ProfileMissing, AccessRefused (people must act); everything else
is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.bucket_lifecycles import BucketLifecycles
from data_protection.adapters.bucket_objects import InventoryFiles
from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.forecasts import ForecastStore
from data_protection.adapters.profiles import ProfileStore
from data_protection.forecast_planner import plan
from data_protection.lifecycle.contracts import PlanForecast
from data_protection.settings import PlanForecastSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the forecast."""
    asked, settings = PlanForecast.model_validate(event), load(PlanForecastSettings)
    _, partition, _, own_region, own, *_ = context.invoked_function_arn.split(":")
    account = EstateStore(aws.s3(), settings.lake_bucket).load(own, own_region).account(asked.account or own)
    place = account.place(asked.region or account.regions[0], partition)
    lifecycles = BucketLifecycles(Clients.reading(account).s3(place.region), place.account)
    files = InventoryFiles(aws.s3(), asked.inventory.split("/")[2]) if asked.inventory else None
    profile = ProfileStore(aws.s3(), settings.lake_bucket).load(account.profile)
    planned, answer = plan(asked, place, lifecycles, files, profile)
    ForecastStore(aws.s3(), settings.lake_bucket, asked.run, asked.time.date()).write_plan(planned)
    logger.info("forecast planned", bucket=asked.bucket, parts=len(answer.parts), source=planned.source)
    metrics.add_metric("ForecastPartsPlanned", "Count", len(answer.parts))
    return answer.model_dump(mode="json")
