"""List the versions of a bucket, as many as there is time for.

Trigger: the machine lock_objects, again and again until all are listed. Input: ListVersions. Output: VersionsListed.
Errors: AccessRefused, EstateInvalid, LockStale, PlanMissing (people must act); everything else is transient, and the
next attempt goes on from there.
"""

from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.version_pages import VersionPages
from data_protection.locking.compose import acting
from data_protection.locking.contracts import ListVersions
from data_protection.locking.lister import Lister
from data_protection.settings import ListVersionsSettings
from kernel import aws
from kernel.clock import utc_now
from kernel.observability import logger, metrics, tracer
from kernel.settings import load

_RESERVE: Final = 60_000  # milliseconds in which a page and a shard are surely written


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on listing."""
    asked, settings = ListVersions.model_validate(event), load(ListVersionsSettings)
    place = asked.job.place
    _, clients = acting(place.account, settings.lake_bucket, context)
    pages = VersionPages(clients.s3(place.region), asked.job.terms.bucket, place.account)
    lister = Lister(pages, LockFiles(aws.s3(), settings.lake_bucket), utc_now)
    listed = lister.go_on(asked.job, asked.part, lambda: context.get_remaining_time_in_millis() < _RESERVE)
    logger.info("versions listed", run=asked.job.run, part=asked.part, **listed.model_dump(mode="json"))
    metrics.add_metric("VersionsListed", "Count", listed.entries)
    return listed.model_dump(mode="json")
