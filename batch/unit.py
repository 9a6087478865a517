"""Work of the kind `unit`: the slices of a unit of a run's plan, as ProcessUnit does it."""

from typing import Final

from aws_lambda_powertools import Logger

from batch.heartbeat import Heartbeat
from batch.stopping import StopSignal
from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.feeds import FeedsParameter
from firewall_logs.adapters.lake import LakeWriter
from firewall_logs.adapters.ledger import LedgerLease
from firewall_logs.adapters.runs import ReceiptBook, WorkLists
from firewall_logs.adapters.source import SourceReader
from firewall_logs.contracts import Unit
from firewall_logs.settings import BatchSettings
from firewall_logs.worker import Worker
from kernel import aws
from kernel.clock import utc_now

# How the task names itself to the account that a raw object is in.
_ASKER: Final = "firewall-logs-batch"

logger = Logger()


def process(settings: BatchSettings, stop: StopSignal) -> None:
    """Bring every slice of the unit into the lake, one after the other; those that have a receipt are not read again.

    Raises:
        Interrupted: The task was told to stop between two slices.
        LeaseLost: Another run has taken an object over.
        SourceChanged: An object is no longer what was planned.
        SourceUnreadable: An object is not for us, or not any more.
        EffectConflict: A file or receipt exists with other content.
        WorkMissing: The unit is not in the document.
    """
    lists = WorkLists(aws.s3(), settings.runs_bucket)
    unit = Unit.model_validate_json(lists.line(settings.work_key, settings.work_line))
    logger.append_keys(run_id=unit.run_id, unit=unit.unit)
    lease = LedgerLease(aws.dynamodb(), settings.ledger_table)
    held = {piece.object_id: piece.epoch for piece in unit.slices}
    worker = _worker(settings, lease)

    def renew() -> None:
        for object_id, epoch in held.items():
            lease.renew(object_id, epoch, now=utc_now(), lease_seconds=settings.lease_seconds)

    with Heartbeat(renew):
        for number, piece in enumerate(unit.slices, start=1):
            stop.check()
            result, _ = worker.work(unit.model_copy(update={"slices": [piece]}))
            logger.info("slice processed", slice=number, slices=len(unit.slices), **result.account.model_dump())
    logger.info("unit processed", slices=len(unit.slices))


def _worker(settings: BatchSettings, lease: LedgerLease) -> Worker:
    s3 = aws.s3()
    feeds = FeedsParameter(aws.ssm(), settings.feeds_parameter).load()
    return Worker(
        SourceReader(SourceClients(feeds, s3, _ASKER)),
        LakeWriter(s3, settings.lake_bucket),
        ReceiptBook(s3, settings.runs_bucket),
        lease,
        lease_seconds=settings.lease_seconds,
        memory_mb=settings.memory_mb,
        vcpus=settings.vcpus,
        now=utc_now,
    )
