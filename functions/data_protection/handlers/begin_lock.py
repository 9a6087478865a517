"""Begin to simulate the lock of a bucket, or to apply what was simulated and approved.

Trigger: the machine lock_objects. Input: BeginLock. Output: LockJob.
Errors: AccessRefused, BucketMissing, EstateInvalid, LockNotApproved, LockRefused, LockStale, PlanMissing,
ResourceUnreadable (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.bucket_reader import BucketReader
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import LockApprovals, LockMarks
from data_protection.contracts import PlaceRef
from data_protection.locking.compose import acting
from data_protection.locking.contracts import BeginLock
from data_protection.locking.opener import Opener
from data_protection.settings import BeginLockSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Begin the run."""
    asked, settings = BeginLock.model_validate(event), load(BeginLockSettings)
    partition, caller = context.invoked_function_arn.split(":")[1], context.invoked_function_arn
    files = LockFiles(aws.s3(), settings.lake_bucket)
    simulation = files.simulation(asked.apply) if asked.apply else None
    account, clients = acting(simulation.account if simulation else asked.account, settings.estate_parameter, context)
    place = PlaceRef(account=account.account, region=account.regions[0], partition=partition)
    table = (aws.dynamodb(), settings.remediations_table)
    opener = Opener(BucketReader(clients.of), files, LockMarks(*table), LockApprovals(*table))
    if simulation is None:
        job = opener.simulate(asked, place)
    else:
        evidence = EvidenceChain(
            aws.s3(), settings.evidence_bucket, plan=simulation.hash, step="", principal=caller, controls={}
        )
        job = opener.apply(asked, simulation, place, evidence, utc_now())
    logger.info("lock begun", run=job.run, bucket=job.terms.bucket, simulation=job.simulation)
    metrics.add_metric("LocksBegun", "Count", 1)
    return job.model_dump(mode="json")
