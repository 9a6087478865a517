"""Count what a lock would do to the versions of a shard. Changes nothing.

Trigger: the machine lock_objects, for each shard of a simulation. Input: WorkOnShard. Output: the number of the shard
and what would become of its versions.
Errors: AccessRefused, EstateInvalid, PlanMissing (people must act); everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.retentions import LegalHoldReader, RetentionReader
from data_protection.adapters.snapshots import Pace
from data_protection.locking.compose import acting
from data_protection.locking.contracts import ShardDone, WorkOnShard
from data_protection.locking.surveyor import Surveyor
from data_protection.settings import SurveyShardSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Survey the shard."""
    asked, settings = WorkOnShard.model_validate(event), load(SurveyShardSettings)
    place = asked.job.place
    _, clients = acting(place.account, settings.lake_bucket, context)
    bucket = (clients.s3(place.region), asked.job.terms.bucket, place.account, Pace(settings.requests_per_second))
    surveyor = Surveyor(LockFiles(aws.s3(), settings.lake_bucket), RetentionReader(*bucket), LegalHoldReader(*bucket))
    tally = surveyor.survey(asked.job, asked.shard)
    surveyed = ShardDone(run=asked.job.run, number=asked.shard.number, outcomes=tally.outcomes)
    logger.info("shard surveyed", **surveyed.model_dump(mode="json"))
    metrics.add_metric("VersionsSurveyed", "Count", surveyed.entries)
    return surveyed.model_dump(mode="json")
