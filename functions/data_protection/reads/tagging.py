"""Reads of tags, once for all resources of an account in a region.

AWS answers for the region alone: the tags of a bucket are asked for where the bucket is. Of roles it has none, which
IAM tells itself. https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
"""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

_TYPES: Final = [
    "dynamodb:table",
    "s3",
    "sns",
    "kms:key",
    "secretsmanager:secret",
    "rds:db",
    "rds:pg",
    "cloudtrail:trail",
]

TAGS: Final = Read(
    name="tagging.GetResources",
    kind=Kind.ACCOUNT,
    service="resourcegroupstaggingapi",
    operation="get_resources",
    # What never had a tag is not in the answer: it has none.
    arguments=lambda _: {"ResourceTypeFilters": _TYPES},
    actions=frozenset({"tag:GetResources"}),
    merge=("ResourceTagMappingList",),
)
