"""Start the seals that are due: of the day before, and of every older day that is not sealed.

Trigger: an EventBridge rule, every hour; the day before is due from 02:00 UTC.
Input: its scheduled event, of which the time is used. Output: StartedSeals.
Errors: everything is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DayReader
from firewall_logs.adapters.machine import Machine
from firewall_logs.days.calendar import due
from firewall_logs.days.contracts import Scheduled, SealInput, StartedSeals
from firewall_logs.settings import StartSealsSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start one execution a day, under a name that the day and the time of the schedule determine."""
    at = Scheduled.model_validate(event).time
    settings = load(StartSealsSettings)
    machine = Machine(aws.states(), settings.seal_day_arn)
    days = due(DayReader(aws.dynamodb(), settings.days_table).all(), at)
    for day in days[: settings.most_seals]:
        machine.start(f"seal-{day}-{at:%Y%m%dT%H%M}", SealInput(date=day))
    logger.info("seals started", due=len(days), started=min(len(days), settings.most_seals))
    return StartedSeals(days=days[: settings.most_seals], waiting=days[settings.most_seals :]).model_dump(mode="json")
