"""Work of the kind `cut`: cuts of a day from the plan of a seal, as CompactUnit does them."""

from aws_lambda_powertools import Logger

from batch.heartbeat import Heartbeat
from batch.stopping import StopSignal
from firewall_logs.adapters.days import DaySeals
from firewall_logs.adapters.runs import WorkLists
from firewall_logs.days.compose import compactor
from firewall_logs.days.contracts import CompactionTask
from firewall_logs.errors import LeaseLost
from firewall_logs.settings import BatchSettings
from kernel import aws

logger = Logger()


def compact(settings: BatchSettings, stop: StopSignal) -> None:
    """Bring every cut of the task into the lake, one after the other; those that have a receipt are not read again.

    Raises:
        Interrupted: The task was told to stop between two cuts.
        LeaseLost: The seal does not hold its day any more.
        PlanMissing: The seal has no plan.
        InputGone: Another seal has replaced an input.
        InputUnsorted: An input does not have the order of the lake.
        CutMismatch: The inputs have other rows of a cut than were counted.
        EffectConflict: A file or receipt exists with other content.
        WorkMissing: The task is not in the document.
    """
    lists = WorkLists(aws.s3(), settings.runs_bucket)
    task = CompactionTask.model_validate_json(lists.line(settings.work_key, settings.work_line))
    logger.append_keys(seal_id=task.seal_id, event_date=task.event_date)
    seals = DaySeals(aws.dynamodb(), settings.days_table)
    worker = compactor(settings, settings.memory_mb)

    def require_day() -> None:
        # The lease outlives the machine, so there is nothing to renew: a day that is held no more was given up.
        if not seals.holds(task.event_date, task.seal_id):
            raise LeaseLost(
                f"Seal {task.seal_id} does not hold {task.event_date} any more: it was stopped, or its failure was "
                "recorded. Its cuts are left where they are, for the next seal of the day."
            )

    require_day()
    with Heartbeat(require_day):
        for number, unit in enumerate(task.units, start=1):
            stop.check()
            proof = worker.compact(unit).proof
            logger.info(
                "cut compacted",
                unit=proof.index,
                cut=number,
                cuts=len(task.units),
                rows_out=proof.rows_out,
                duplicates=proof.duplicates,
            )
    logger.info("task compacted", cuts=len(task.units))
