"""Report what a bucket will cost in seven years.

Trigger: the machine forecast_lifecycle, once everything is counted. Input: ReportForecast. Output: ForecastReported.
Errors: ForecastInvalid (people must act); everything else is transient. Made again, a report replaces the one before.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.forecasts import ForecastStore
from data_protection.forecast_reporter import ForecastReporter
from data_protection.lifecycle.contracts import ReportForecast
from data_protection.settings import ReportForecastSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Report the forecast."""
    asked, settings = ReportForecast.model_validate(event), load(ReportForecastSettings)
    store = ForecastStore(aws.s3(), settings.lake_bucket, asked.run, asked.time.date())
    reported = ForecastReporter(store).report(asked)
    logger.info("forecast reported", **reported.model_dump(mode="json"))
    metrics.add_metric("RulesLosing", "Count", len(reported.losing_rules))
    return reported.model_dump(mode="json")
