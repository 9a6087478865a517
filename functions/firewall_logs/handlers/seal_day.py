"""Seal a day: commit its version, show it to readers, and tell others.

Trigger: state SealDay of seal_day. Input: VersionStep. Output: SealResult.
Errors: SealLost, SealMissing (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DayIndex, DayReader, DaySeals
from firewall_logs.adapters.sealed import SealedWriter
from firewall_logs.adapters.seals import CandidateReader
from firewall_logs.days.contracts import VersionStep
from firewall_logs.days.sealer import Sealer
from firewall_logs.metrics import of_seal
from firewall_logs.settings import SealSettings
from kernel import aws
from kernel.bus import Bus
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Commit the candidate of this seal, or finish what an earlier one committed."""
    step = VersionStep.model_validate(event)
    document, result = _sealer(load(SealSettings)).seal(step)
    for name, unit, value in of_seal(document, result):
        metrics.add_metric(name, unit, value)
    logger.info("day sealed", day=str(step.event_date), version=step.version, reopened=result.reopened)
    return result.model_dump(mode="json")


def _sealer(settings: SealSettings) -> Sealer:
    dynamodb = aws.dynamodb()
    return Sealer(
        CandidateReader(aws.s3(), settings.runs_bucket),
        SealedWriter(aws.s3(), settings.lake_bucket),
        seals=DaySeals(dynamodb, settings.days_table),
        days=DayReader(dynamodb, settings.days_table),
        index=DayIndex(dynamodb, settings.days_table),
        bus=Bus(aws.events(), settings.event_bus, "firewall_logs"),
    )
