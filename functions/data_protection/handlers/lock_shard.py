"""Set the retention of the versions of a shard.

Trigger: the machine lock_objects, for each shard of a listing. Input: WorkOnShard. Output: ShardDone.
Errors: AccessRefused, EstateInvalid, PlanMissing (people must act); everything else is transient, and what was set is
counted and not set again.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import ShardLedger
from data_protection.adapters.retentions import RetentionReader, RetentionWriter
from data_protection.adapters.snapshots import Pace
from data_protection.locking.compose import acting
from data_protection.locking.contracts import WorkOnShard
from data_protection.locking.retention import Outcome
from data_protection.locking.shard_locker import ShardLocker
from data_protection.settings import LockShardSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lock the shard."""
    asked, settings = WorkOnShard.model_validate(event), load(LockShardSettings)
    place = asked.job.place
    _, clients = acting(place.account, settings.lake_bucket, context, asked.job.simulation)
    bucket = (clients.s3(place.region), asked.job.terms.bucket, place.account, Pace(settings.requests_per_second))
    locker = ShardLocker(
        LockFiles(aws.s3(), settings.lake_bucket),
        ShardLedger(aws.dynamodb(), settings.remediations_table),
        RetentionReader(*bucket),
        RetentionWriter(*bucket),
        utc_now,
    )
    done = locker.lock(asked)
    logger.info("shard locked", part=asked.part, **done.model_dump(mode="json"))
    refused = done.outcomes.get(Outcome.REFUSED)
    metrics.add_metric("VersionsLocked", "Count", done.entries)
    metrics.add_metric("VersionsRefused", "Count", refused.versions if refused else 0)
    return done.model_dump(mode="json")
