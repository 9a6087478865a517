"""Clean a day: remove the files that its newest version replaced, and give the day back.

Trigger: state CleanDay of seal_day, once the version is committed. Input: VersionStep. Output: VersionStep.
Errors: SealMissing (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DaySeals
from firewall_logs.adapters.sealed import Replaced, SealedReader
from firewall_logs.days.contracts import VersionStep
from firewall_logs.settings import CleanSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Remove, then note that it is done; only while the seal holds the day."""
    step = VersionStep.model_validate(event)
    settings = load(CleanSettings)
    seals = DaySeals(aws.dynamodb(), settings.days_table)
    if not seals.holds(step.event_date, step.seal_id):
        # An earlier attempt came to its end, or another seal did it since, whose files must not go.
        logger.info("day not held", day=str(step.event_date), version=step.version, seal_id=step.seal_id)
        return step.model_dump(mode="json")
    sealed = SealedReader(aws.s3(), settings.lake_bucket)
    document, before = sealed.read(step.event_date, step.version), sealed.find(step.event_date, step.version - 1)
    removed = Replaced(aws.s3(), settings.lake_bucket).remove(document, before)
    seals.finish(step.event_date, step.version, step.seal_id)
    logger.info("day cleaned", day=str(step.event_date), version=step.version, files=removed)
    metrics.add_metric("FilesReplaced", "Count", removed)
    return step.model_dump(mode="json")
