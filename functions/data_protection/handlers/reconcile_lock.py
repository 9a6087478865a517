"""Compare what was listed with what was locked, and report it.

Trigger: the machine lock_objects, at the end of a lock. Input: FinishLock. Output: LockReported.
Errors: EvidenceBroken, PlanMissing (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import LockMarks, ShardCounts
from data_protection.locking.contracts import FinishLock
from data_protection.locking.reconciler import Reconciler
from data_protection.settings import EndLockSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Reconcile the lock."""
    asked, settings = FinishLock.model_validate(event), load(EndLockSettings)
    table = (aws.dynamodb(), settings.remediations_table)

    def chain(check: str) -> EvidenceChain:
        bucket, plan = settings.evidence_bucket, asked.job.simulation
        return EvidenceChain(
            aws.s3(), bucket, plan=plan, step=check, principal=context.invoked_function_arn, controls={}
        )

    reconciler = Reconciler(LockFiles(aws.s3(), settings.lake_bucket), ShardCounts(*table), LockMarks(*table), chain)
    reported = reconciler.reconcile(asked.job, utc_now())
    logger.info("lock reported", run=asked.job.run, **reported.model_dump(mode="json"))
    metrics.add_metric("LocksCompleted", "Count", int(reported.complete))
    return reported.model_dump(mode="json")
