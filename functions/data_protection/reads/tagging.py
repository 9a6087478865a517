"""Reads of tags, once for all resources of an account in a region."""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

_TYPES: Final = ["dynamodb:table", "s3", "sns", "kms:key", "secretsmanager:secret", "rds:db", "cloudtrail:trail"]

TAGS: Final = Read(
    name="tagging.GetResources",
    kind=Kind.ACCOUNT,
    service="resourcegroupstaggingapi",
    operation="get_resources",
    # What never had a tag is not in the answer: it has none. IAM's roles are not in it either.
    arguments=lambda _: {"ResourceTypeFilters": _TYPES},
    actions=frozenset({"tag:GetResources"}),
    merge=("ResourceTagMappingList",),
)
