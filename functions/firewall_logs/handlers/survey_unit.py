"""Survey a part of a day's objects: read what they left, so that ReconcileDay need not read all of them by itself.

Trigger: state SurveyUnits of seal_day, for a day of many objects. Input: SurveyUnit. Output: SurveyUnitResult.
Errors: FeedConfigInvalid, SealMissing (never retried).
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.days import DayReader
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import InputFooters, RawFooters
from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.runs import ReceiptReader
from firewall_logs.adapters.sealed import SealedReader
from firewall_logs.adapters.seals import SurveyBook
from firewall_logs.days.contracts import SurveyUnit, SurveyUnitResult
from firewall_logs.days.fresh import fresh_objects
from firewall_logs.days.surveyor import Surveyor
from firewall_logs.settings import SurveySettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write what is there of the objects that the newest version lacks."""
    unit = SurveyUnit.model_validate(event)
    logger.append_keys(seal_id=unit.seal_id, event_date=unit.event_date, part=unit.part)
    settings = load(SurveySettings)
    s3 = aws.s3()
    fresh = fresh_objects(
        DayReader(aws.dynamodb(), settings.days_table), SealedReader(s3, settings.lake_bucket), unit.event_date, unit
    )
    SurveyBook(s3, settings.runs_bucket).write(unit, _surveyor(settings, context).survey(fresh.objects))
    logger.info("objects surveyed", objects=len(fresh.objects))
    metrics.add_metric("ObjectsSurveyed", "Count", len(fresh.objects))
    return SurveyUnitResult(part=unit.part, objects=len(fresh.objects)).model_dump(mode="json")


def _surveyor(settings: SurveySettings, context: LambdaContext) -> Surveyor:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return Surveyor(
        feeds,
        ManifestReader(s3, settings.lake_bucket),
        ReceiptReader(s3, settings.runs_bucket),
        footers=InputFooters(s3, settings.lake_bucket),
        raw_footers=RawFooters(SourceClients(feeds, s3, context.function_name)),
    )
