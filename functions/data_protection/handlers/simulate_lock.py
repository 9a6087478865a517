"""Make the simulation of a lock, and ask for its approval. Changes nothing but that.

Trigger: the machine lock_objects, once all shards are surveyed. Input: FinishLock. Output: LockSimulated.
Errors: LockIncomplete, PlanMissing (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import LockApprovals
from data_protection.locking.contracts import FinishLock
from data_protection.locking.simulator import Simulator
from data_protection.settings import EndLockSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the simulation."""
    asked, settings = FinishLock.model_validate(event), load(EndLockSettings)
    simulator = Simulator(
        LockFiles(aws.s3(), settings.lake_bucket),
        LockApprovals(aws.dynamodb(), settings.remediations_table),
        lambda plan: EvidenceChain(
            aws.s3(),
            settings.evidence_bucket,
            plan=plan,
            step="",
            principal=context.invoked_function_arn,
            controls={},
        ),
    )
    simulated = simulator.simulate(asked.job, utc_now())
    logger.info("lock simulated", run=asked.job.run, **simulated.model_dump(mode="json"))
    metrics.add_metric("LocksSimulated", "Count", 1)
    return simulated.model_dump(mode="json")
