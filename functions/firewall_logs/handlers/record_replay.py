"""Record what became of a replay: how many rows are in the lake now, and how many were refused again.

Trigger: state RecordReplay of replay_quarantine. Input: RecordReplayInput. Output: RecordReplayResult.
Errors: ListInvalid (never retried); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firewall_logs.adapters.lake import ManifestReader
from firewall_logs.adapters.replays import ReplayObjects, ReplayRecords
from firewall_logs.adapters.runs import ObjectLists
from firewall_logs.replays.contracts import RecordReplayInput, RecordReplayResult
from firewall_logs.replays.recorder import ReplayRecorder
from firewall_logs.settings import RecordReplaySettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask every manifest, and write the record."""
    step = RecordReplayInput.model_validate(event)
    settings = load(RecordReplaySettings)
    s3 = aws.s3()
    recorder = ReplayRecorder(ReplayObjects(s3, settings.runs_bucket), ManifestReader(s3, settings.lake_bucket))
    record = recorder.record(step.replay_id, ObjectLists(s3, settings.runs_bucket).read(step.list_key), utc_now())
    key = ReplayRecords(s3, settings.runs_bucket).write(record)
    logger.info("replay recorded", replay_id=step.replay_id, open=record.open, **record.account.model_dump())
    metrics.add_metric("RowsReplayed", "Count", record.account.rows_in)
    return RecordReplayResult(
        replay_id=step.replay_id,
        account=record.account,
        quarantined_by_reason=record.quarantined_by_reason,
        open=record.open,
        record_key=key,
    ).model_dump(mode="json")
