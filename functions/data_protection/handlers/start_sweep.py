"""Ask to sweep each account and region of the estate.

Trigger: a schedule. Input: Scheduled. Output: how many places were asked for.
Errors: EstateInvalid (people must act).
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import EstateStore
from data_protection.adapters.sweeps import SweepQueue
from data_protection.contracts import PlaceRef, Scheduled, SweepPlace
from data_protection.settings import StartSweepSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Queue each place."""
    asked, settings = Scheduled.model_validate(event), load(StartSweepSettings)
    _, partition, _, region, own, *_ = context.invoked_function_arn.split(":")
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, region)
    places = estate.places(frozenset(), frozenset(), partition)
    queue = SweepQueue(aws.sqs(), settings.sweep_queue_url)
    for place in places:
        queue.ask(SweepPlace(run=f"sweep-{asked.time:%Y%m%dT%H%M%SZ}", place=PlaceRef.of(place)))
    logger.info("sweep started", time=asked.time.isoformat(), places=len(places))
    metrics.add_metric("SweepsAsked", "Count", len(places))
    return {"places": len(places)}
