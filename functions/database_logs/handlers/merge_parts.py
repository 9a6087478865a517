"""Add up some of the parts of a day's digest.

Trigger: state MergeParts of digest_queries. Input: PartsShard. Output: PartsMerged.
Errors: everything is transient; an attempt that is made again writes files of its own, or the same.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from database_logs.adapters.digests import DigestStore
from database_logs.adapters.lake import LakeReader
from database_logs.contracts import PartsShard
from database_logs.part_merger import PartMerger
from database_logs.settings import DigestSettings
from kernel import aws
from kernel.observability import logger, tracer
from kernel.settings import load


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add parts up."""
    shard = PartsShard.model_validate(event)
    s3, bucket = aws.s3(), load(DigestSettings).lake_bucket
    merged = PartMerger(LakeReader(s3, bucket), DigestStore(s3, bucket)).merge(shard)
    logger.info("parts merged", **merged.model_dump(mode="json"))
    return merged.model_dump(mode="json")
