"""Begin to simulate the lock of a bucket, or to apply what was simulated and approved.

Trigger: the machine lock_objects; once more when a change window opens. Input: BeginLock. Output: LockBegun.
Errors: AccessRefused, BucketMissing, EstateInvalid, LockNotApproved, LockRefused, LockStale, PlanMissing,
ProfileInvalid, ProfileMissing, ResourceUnreadable (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.bucket_reader import BucketReader
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import LockApprovals, LockMarks
from data_protection.adapters.profiles import ProfileStore
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
    account, clients = acting(simulation.account if simulation else asked.account, settings.lake_bucket, context)
    place = PlaceRef(account=account.account, region=account.regions[0], partition=partition)
    profile = ProfileStore(aws.s3(), settings.lake_bucket).load(account.profile)
    table = (aws.dynamodb(), settings.remediations_table)
    opener = Opener(BucketReader(clients.of), files, LockMarks(*table), LockApprovals(*table))
    if simulation is None:
        begun = opener.simulate(asked, place, profile)
    else:
        evidence = EvidenceChain(
            aws.s3(), settings.evidence_bucket, plan=simulation.hash, step="", principal=caller, controls={}
        )
        begun = opener.apply(asked, simulation, place, profile=profile, evidence=evidence, now=utc_now())
    job = begun.job
    logger.info("lock begun", run=job.run, bucket=job.terms.bucket, simulation=job.simulation, opens=begun.opens)
    metrics.add_metric("LocksBegun", "Count", int(not begun.opens))
    return begun.model_dump(mode="json")
