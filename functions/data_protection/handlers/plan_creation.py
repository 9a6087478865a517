"""Plan the resources of a request: what is missing, what is there, what differs.

Trigger: the machine create_secure_resources. Input: PlanCreation. Output: CreationPlanned.
Errors: CreationInvalid, CreationMissing, CreationRefused (people must act); what cannot be read now, and everything
else, is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.creation import CreationSnapshots, CreationStore, own_client
from data_protection.creation.contracts import PlanCreation
from data_protection.creation.creator import Planner
from data_protection.creation.settings import PlanCreationSettings
from data_protection.resources import Place
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan the request."""
    asked, settings = PlanCreation.model_validate(event), load(PlanCreationSettings)
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    store = CreationStore(aws.s3(), settings.lake_bucket)
    place = Place(account, region, partition)
    planned = Planner(place, CreationSnapshots(own_client), store, settings.boundary_arn).plan(asked, utc_now())
    logger.info("creation planned", run=asked.run, calls=planned.calls, counts=planned.counts)
    metrics.add_metric("CallsPlanned", "Count", planned.calls)
    return planned.model_dump(mode="json")
