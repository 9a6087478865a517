"""Enable versioning and Object Lock of a bucket, one change at a time.

Trigger: the machine lock_objects, again and again until nothing is left to change. Input: FinishLock.
Output: BucketConfigured.
Errors: AccessRefused, BucketMissing, EstateInvalid, LockRefused, ResourceUnreadable (people must act); everything else
is transient, and a change that was made is found made.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.bucket_reader import BucketReader
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.lock_configuration import LockConfiguration
from data_protection.adapters.steps import ResourceLocks
from data_protection.checks.catalogue import catalogue
from data_protection.locking.compose import acting
from data_protection.locking.configurer import Configurer
from data_protection.locking.contracts import FinishLock
from data_protection.settings import ConfigureBucketSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the next change."""
    asked, settings = FinishLock.model_validate(event), load(ConfigureBucketSettings)
    account, simulation = asked.job.place.account, asked.job.simulation
    _, clients = acting(account, settings.lake_bucket, context, simulation)
    configurer = Configurer(
        BucketReader(clients.of),
        LockConfiguration(clients.of),
        ResourceLocks(aws.dynamodb(), settings.remediations_table),
        lambda check: EvidenceChain(
            aws.s3(),
            settings.evidence_bucket,
            plan=simulation,
            step=check,
            principal=context.invoked_function_arn,
            controls=catalogue()[check].controls,
        ),
        utc_now,
    )
    configured = configurer.go_on(asked.job)
    logger.info("bucket configured", run=asked.job.run, **configured.model_dump(mode="json"))
    metrics.add_metric("BucketsConfigured", "Count", int(configured.done))
    return configured.model_dump(mode="json")
