"""Validate a day: compare its compacted files with the plan, judge it by the quality rules, and write its candidate.

Trigger: state ValidateDay of seal_day. Input: SealStep. Output: ValidateDayResult.
Errors: FeedConfigInvalid, RulesInvalid, PlanMissing (never retried); a failing rule is no error here but a verdict,
which the machine acts upon.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.days import DayReader
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.footers import LakeFooters
from firewall_logs.adapters.rules import RulesParameter
from firewall_logs.adapters.sealed import QualityTables
from firewall_logs.adapters.seals import CompactionReceiptReader, SealCandidates, SealPlanReader
from firewall_logs.days.contracts import SealStep
from firewall_logs.days.quality_table import quality_table
from firewall_logs.days.validator import DayValidator
from firewall_logs.settings import ValidateDaySettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the verdicts, and the candidate of the version where it may be sealed."""
    step = SealStep.model_validate(event)
    settings = load(ValidateDaySettings)
    found = _validator(settings).validate(step)
    candidate, levels = found.candidate, found.result.levels
    table = quality_table(candidate.version, candidate.quality)
    QualityTables(aws.s3(), settings.lake_bucket).write(step.event_date, candidate.version, table)
    if found.result.sealable:
        SealCandidates(aws.s3(), settings.runs_bucket).write(candidate)
    logger.info("day validated", day=str(step.event_date), sealable=found.result.sealable, levels=levels)
    metrics.add_metric("RulesFailed", "Count", levels.get("fail", 0))
    metrics.add_metric("RulesWarned", "Count", levels.get("warn", 0))
    return found.result.model_dump(mode="json")


def _validator(settings: ValidateDaySettings) -> DayValidator:
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return DayValidator(
        feeds,
        RulesParameter(aws.ssm(), settings.rules_parameter).load([feed.name for feed in feeds]),
        DayReader(aws.dynamodb(), settings.days_table),
        plans=SealPlanReader(aws.s3(), settings.runs_bucket),
        receipts=CompactionReceiptReader(aws.s3(), settings.runs_bucket),
        footers=LakeFooters(aws.s3(), settings.lake_bucket),
    )
