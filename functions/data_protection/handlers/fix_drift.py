"""Fix a drift that the profile allows to fix at once.

Trigger: SQS FIFO, a group a resource, and a group a check of the account. Input: an SQS batch of Drift, one a call.
Output: the messages to be delivered again (partial batch response).
Errors: while the resource is locked, cannot be read or has not settled, and where a store fails, the message comes
again after a pause, and the attempt goes on where it stopped.
"""

import time
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.attempts import AttemptStore
from data_protection.adapters.calls import ReversibleCalls
from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.fixes import UnendedFixes
from data_protection.adapters.profiles import ProfileStore
from data_protection.adapters.snapshots import Snapshots
from data_protection.adapters.steps import ResourceLocks, StepLedger
from data_protection.checks.catalogue import catalogue
from data_protection.drift.attempts import pause
from data_protection.drift.compose import watcher
from data_protection.drift.drifts import Drift
from data_protection.drift.fixer import Fixer, look_after
from data_protection.drift.metrics import of_fix, of_look
from data_protection.estate import Account
from data_protection.remediation.plans import Plan, Step
from data_protection.settings import FixSettings
from kernel import aws
from kernel.bus import Bus
from kernel.clock import utc_now
from kernel.observability import log_failures, logger, metrics, tracer
from kernel.settings import load

_RESERVED_SECONDS: Final = 30  # for the look afterwards


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Fix the drift of each message."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], lambda record: _fix(record, context)):
        processor.process()
    log_failures(processor)
    response = dict(processor.response())
    _put_off([SQSRecord(record) for record in event["Records"]], response)
    return response


def _put_off(records: list[SQSRecord], response: dict[str, Any]) -> None:
    """Let the messages that are to be delivered again come after a pause."""
    unended = UnendedFixes(aws.sqs(), load(FixSettings).fix_queue_url)
    failed = {one["itemIdentifier"] for one in response["batchItemFailures"]}
    for record in records:
        if record.message_id in failed:
            unended.put_off(record.receipt_handle, pause(int(record.attributes.approximate_receive_count)))


def _fix(record: SQSRecord, context: LambdaContext) -> None:
    drift, settings = Drift.model_validate_json(record.body), load(FixSettings)
    _, _, _, region, own, *_ = context.invoked_function_arn.split(":")
    account = EstateStore(aws.s3(), settings.lake_bucket).load(own, region).account(drift.place.account)
    fix = _fixer(account, drift, own, context).fix(drift)
    logger.info("drift handled", drift=drift.id, arn=drift.arn, check=drift.check, result=fix.result, reason=fix.reason)
    watching = watcher(
        account,
        lake_bucket=settings.lake_bucket,
        findings_table=settings.findings_table,
        event_bus=settings.event_bus,
        fixes=None,
    )
    looked = watching.look(look_after(fix, drift, utc_now()))
    for name, unit, value in (*of_fix(fix), *of_look(looked)):
        metrics.add_metric(name, unit, value)


def _fixer(account: Account, drift: Drift, own: str, context: LambdaContext) -> Fixer:
    settings, check = load(FixSettings), catalogue()[drift.check]
    changing = Clients.changing(account, check.mutator.phase, own) if check.mutator is not None else None
    dynamodb, table = aws.dynamodb(), settings.remediations_table

    def chain(plan: Plan, step: Step | None) -> EvidenceChain:
        return EvidenceChain(
            aws.s3(),
            settings.evidence_bucket,
            plan=plan.hash,
            step=step.id if step is not None else "",
            principal=context.invoked_function_arn,
            controls=check.controls,
        )

    return Fixer(
        ProfileStore(aws.s3(), settings.lake_bucket).load(account.profile),
        account.profile,
        snapshots=Snapshots(Clients.reading(account).of, reader=account.reader(context.invoked_function_arn)),
        calls=ReversibleCalls(changing.of) if changing is not None else None,
        drifts=DriftStore(dynamodb, settings.findings_table),
        attempts=AttemptStore(dynamodb, table),
        ledger=StepLedger(dynamodb, table),
        locks=ResourceLocks(dynamodb, table),
        bus=Bus(aws.events(), settings.event_bus, "data_protection"),
        chain=chain,
        now=utc_now,
        pause=time.sleep,
        remaining=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVED_SECONDS,
    )
