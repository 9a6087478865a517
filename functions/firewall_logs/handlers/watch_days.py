"""Watch the days: how long the day before waits for its seal, and how many days are not sealed.

Trigger: an EventBridge rule, every ten minutes. Input: its scheduled event, of which the time is used. Output: Watched.
Errors: everything is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DayReader
from firewall_logs.days.calendar import delay, last_day, unsealed
from firewall_logs.days.contracts import Scheduled, Watched
from firewall_logs.settings import WatchSettings
from kernel import aws
from kernel.observability import metrics, tracer
from kernel.settings import load


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Emit both as metrics, from which alarms are made."""
    at = Scheduled.model_validate(event).time
    days = DayReader(aws.dynamodb(), load(WatchSettings).days_table)
    watched = Watched(
        seal_delay_seconds=delay(days.state(last_day(at)), at),
        days_unsealed=unsealed(days.all(), at),
    )
    metrics.add_metric("SealDelay", "Seconds", watched.seal_delay_seconds)
    metrics.add_metric("DaysUnsealed", "Count", watched.days_unsealed)
    return watched.model_dump(mode="json")
