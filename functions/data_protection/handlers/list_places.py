"""List the accounts and regions of a run.

Trigger: the machine assess_account. Input: ListPlaces. Output: PlacesListed.
Errors: EstateInvalid (people must act).
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import EstateStore
from data_protection.contracts import ListPlaces, PlaceRef, PlacesListed
from data_protection.settings import ListPlacesSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """List the places."""
    asked, settings = ListPlaces.model_validate(event), load(ListPlacesSettings)
    _, partition, _, region, own, *_ = context.invoked_function_arn.split(":")
    store = EstateStore(aws.s3(), settings.lake_bucket)
    estate = store.require(own, region) if settings.other_accounts == "expected" else store.load(own, region)
    places = estate.places(frozenset(asked.accounts), frozenset(asked.regions), partition)
    refs = tuple(PlaceRef.of(place) for place in places)
    listed = PlacesListed(places=refs, whole_profiles=estate.whole_profiles(places))
    logger.info("places listed", run=asked.run, places=len(listed.places))
    metrics.add_metric("PlacesListed", "Count", len(listed.places))
    return listed.model_dump(mode="json")
