"""Assess one account in one region by its profile.

Trigger: the machine assess_account, once for each place. Input: AssessPlace. Output: PlaceAssessed.
Errors: ProfileInvalid, ProfileMissing, EstateInvalid (people must act); AccessRefused (of this account alone);
everything else is transient.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.findings import FindingStore
from data_protection.adapters.profiles import ProfileStore
from data_protection.adapters.snapshots import Snapshots
from data_protection.assessor import Assessor
from data_protection.contracts import AssessPlace
from data_protection.settings import AssessSettings
from data_protection.verdicts import Status
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Assess the place."""
    asked, settings = AssessPlace.model_validate(event), load(AssessSettings)
    _, _, _, region, own, *_ = context.invoked_function_arn.split(":")
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, region)
    account = estate.account(asked.place.account)
    profile = ProfileStore(aws.s3(), settings.lake_bucket).load(account.profile)
    store = FindingStore(aws.s3(), settings.lake_bucket, aws.dynamodb(), settings.findings_table)
    assessor = Assessor(Snapshots(Clients.reading(account).of), store, profile, account.profile)
    assessed = assessor.assess(asked, utc_now())
    logger.info("place assessed", **assessed.model_dump(mode="json"))
    metrics.add_metric("ChecksUnknown", "Count", assessed.counts[Status.UNKNOWN])
    metrics.add_metric("ChecksFailed", "Count", assessed.counts[Status.FAIL])
    return assessed.model_dump(mode="json")
