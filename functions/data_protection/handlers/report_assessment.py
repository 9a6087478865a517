"""Report a run of assess_account over all its places.

Trigger: the machine assess_account, once all places are done. Input: ReportAssessment. Output: AssessmentReported.
Errors: everything is transient; made again, a report replaces the one before.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.reports import ReportStore
from data_protection.contracts import ReportAssessment
from data_protection.reporter import Reporter
from data_protection.settings import ReportSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Report the run."""
    asked, settings = ReportAssessment.model_validate(event), load(ReportSettings)
    store = ReportStore(aws.s3(), settings.lake_bucket, aws.dynamodb(), settings.findings_table)
    reported = Reporter(store, settings.environment).report(asked)
    logger.info("assessment reported", **reported.model_dump(mode="json"))
    metrics.add_metric("PlacesReported", "Count", reported.places)
    metrics.add_metric("ExceptionsMisaimed", "Count", reported.misaimed_exceptions)
    return reported.model_dump(mode="json")
