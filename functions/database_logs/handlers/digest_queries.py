"""Digest the slow queries of the fleet, from what the parts of each day come to.

Trigger: state DigestQueries of digest_queries. Input: DigestDays. Output: DigestsMade.
Errors: LakeFileMissing (never retried: what is read expired); everything else is transient. Made again, a digest
replaces the one before.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.digests import DigestStore
from database_logs.adapters.lake import LakeReader
from database_logs.contracts import DigestDays
from database_logs.digester import Digester
from database_logs.settings import DigestSettings
from kernel import aws
from kernel.observability import logger, metrics, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make the digests and their reports."""
    wanted = DigestDays.model_validate(event)
    s3, bucket = aws.s3(), load(DigestSettings).lake_bucket
    made = Digester(LakeReader(s3, bucket), DigestStore(s3, bucket)).digests(wanted)
    logger.info("queries digested", **made.model_dump(mode="json"))
    metrics.add_metric("StatementsDigested", "Count", made.digests[-1].statements)
    metrics.add_metric("StatementsNew", "Count", made.digests[-1].new)
    return made.model_dump(mode="json")
