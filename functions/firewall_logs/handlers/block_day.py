"""Block a day: note why it could not be sealed, give it back and tell others.

Trigger: state BlockDay of seal_day; and an EventBridge rule for executions that end uncaught.
Input: BlockInput. Output: DayBlocked.
Errors: everything is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DaySeals
from firewall_logs.adapters.seals import SealFailures
from firewall_logs.days.contracts import BlockInput, DayBlocked
from firewall_logs.settings import BlockSettings
from kernel import aws
from kernel.bus import Bus
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the evidence; the first account of a seal's failure stands."""
    failure = BlockInput.model_validate(event)
    settings = load(BlockSettings)
    failures = SealFailures(aws.s3(), settings.runs_bucket)
    intent = failures.intent(failure.seal_id)
    day = intent.event_date if intent else None
    # A seal that was redriven and fails again holds its day again.
    record = failures.read(failure.seal_id) or DayBlocked(**failure.model_dump(), event_date=day, recorded_at=utc_now())
    seals = DaySeals(aws.dynamodb(), settings.days_table)
    if day and seals.blocked(day, failure.seal_id, f"{failure.error}: {failure.cause}"):
        Bus(aws.events(), settings.event_bus, "firewall_logs").publish("DayBlocked", record)
        metrics.add_metric("DaysBlocked", "Count", 1)
    # Last: who finds it knows that all the rest is done.
    failures.write(record)
    logger.error("day blocked", day=str(day), seal_id=failure.seal_id, error_name=failure.error)
    return record.model_dump(mode="json")
