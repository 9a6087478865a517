"""Go on making one resource of a planned request.

Trigger: the machine create_secure_resources, for each resource until it is done. Input: CreateResource.
Output: ResourceCreated.
Errors: CreationMissing, CreationRefused, CreationStalled (people must act); what cannot be read now, and everything
else, is transient: another attempt looks again and goes on.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.creation import CreationCalls, CreationSnapshots, CreationStore, own_client
from data_protection.creation.contracts import CreateResource
from data_protection.creation.creator import Creator
from data_protection.creation.settings import CreateResourceSettings
from data_protection.resources import Place
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on making the resource."""
    asked, settings = CreateResource.model_validate(event), load(CreateResourceSettings)
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    store = CreationStore(aws.s3(), settings.lake_bucket)
    snapshots, calls = CreationSnapshots(own_client), CreationCalls(own_client)
    created = Creator(Place(account, region, partition), snapshots, calls, store, utc_now).create(asked)
    logger.info("resource worked on", run=asked.run, **created.model_dump(mode="json"))
    metrics.add_metric("CallsMade", "Count", created.calls)
    return created.model_dump(mode="json")
