"""Plan a replay: find quarantined rows, claim them, and write them as objects that a run can process.

Trigger: state PlanReplay of replay_quarantine. Input: PlanReplayInput. Output: PlanReplayResult.
Errors: FeedConfigInvalid, FeedUnknown, RequestTooLarge, QuarantineIncomplete, EffectConflict (never retried);
everything else is transient, and another call goes on where this one stopped.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.lake import LakeListing, ManifestReader
from firewall_logs.adapters.ledger import LedgerReader
from firewall_logs.adapters.quarantine import QuarantineReader
from firewall_logs.adapters.replays import ReplayClaims, ReplayObjects
from firewall_logs.adapters.runs import ListWriter
from firewall_logs.replays.contracts import PlanReplayInput, PlanReplayResult
from firewall_logs.replays.planner import ReplayFinder, ReplayWriter
from firewall_logs.replays.words import counts, told
from firewall_logs.settings import PlanReplaySettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count what is chosen; unless that is all that was asked for, write it and its list."""
    step = PlanReplayInput.model_validate(event)
    settings = load(PlanReplaySettings)
    choice = _finder(settings).choose(step.input)
    listed = [] if step.input.dry_run else _writer(settings).write(choice.due)
    list_key = ListWriter(aws.s3(), settings.runs_bucket).write(step.execution, 0, listed) if listed else None
    due, before = counts(choice)
    logger.info("replay planned", replay_id=step.execution, rows=sum(due.values()), replays=len(listed))
    metrics.add_metric("RowsChosen", "Count", sum(due.values()))
    return PlanReplayResult(
        replay_id=step.execution,
        dry_run=step.input.dry_run,
        rows=due,
        objects=len({candidate.manifest.object_id for candidate in choice.due}),
        replayed_before=before,
        whole_objects=dict(sorted(choice.whole_objects.items())),
        told=told(choice),
        replays=len(listed),
        list_key=list_key,
    ).model_dump(mode="json")


def _finder(settings: PlanReplaySettings) -> ReplayFinder:
    s3 = aws.s3()
    return ReplayFinder(
        LakeListing(s3, settings.lake_bucket),
        LedgerReader(aws.dynamodb(), settings.ledger_table),
        ManifestReader(s3, settings.lake_bucket),
        ReplayClaims(s3, settings.lake_bucket),
        ReplayObjects(s3, settings.runs_bucket),
    )


def _writer(settings: PlanReplaySettings) -> ReplayWriter:
    s3 = aws.s3()
    return ReplayWriter(
        FeedsParameter(aws.ssm(), settings.feeds_parameter).load(),
        QuarantineReader(s3, settings.lake_bucket),
        ReplayClaims(s3, settings.lake_bucket),
        ReplayObjects(s3, settings.runs_bucket),
    )
