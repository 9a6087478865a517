"""Reads that tell whose a resource is: its tags as its own service has them, not as the tagging service will."""

from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

BUCKET_TAGS: Final = Read(
    name="s3.GetBucketTagging",
    kind=Kind.BUCKET,
    service="s3",
    operation="get_bucket_tagging",
    # A bucket of another account that has the name is refused, and so is no bucket of ours.
    arguments=lambda bucket: {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.place.account},
    actions=frozenset({"s3:GetBucketTagging"}),
    absent=frozenset({"NoSuchTagSet"}),
    missing=frozenset({"NoSuchBucket"}),
)

TABLE_TAGS: Final = Read(
    name="dynamodb.ListTagsOfResource",
    kind=Kind.TABLE,
    service="dynamodb",
    operation="list_tags_of_resource",
    arguments=lambda table: {"ResourceArn": table.arn},
    actions=frozenset({"dynamodb:ListTagsOfResource"}),
    missing=frozenset({"ResourceNotFoundException"}),
    per_second=10,  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
    merge=("Tags",),
)

KEY_TAGS: Final = Read(
    name="kms.ListResourceTags",
    kind=Kind.KEY,
    service="kms",
    operation="list_resource_tags",
    arguments=lambda key: {"KeyId": key.name},
    actions=frozenset({"kms:ListResourceTags"}),
    # What AWS' own and other accounts' keys answer: they are not ours.
    absent=frozenset({"AccessDeniedException"}),
    missing=frozenset({"NotFoundException"}),
    per_second=10,  # https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
    merge=("Tags",),
)

INSTANCE_PROFILE: Final = Read(
    name="iam.GetInstanceProfile",
    kind=Kind.ROLE,
    service="iam",
    operation="get_instance_profile",
    arguments=lambda role: {"InstanceProfileName": role.name},
    actions=frozenset({"iam:GetInstanceProfile"}),
    missing=frozenset({"NoSuchEntity"}),
)

OWN_PARAMETER_GROUP: Final = Read(
    name="rds.DescribeDBParameterGroups",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="describe_db_parameter_groups",
    arguments=lambda group: {"DBParameterGroupName": group.name},
    actions=frozenset({"rds:DescribeDBParameterGroups"}),
    missing=frozenset({"DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"}),
)

PARAMETER_GROUP_TAGS: Final = Read(
    name="rds.ListTagsForResource",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="list_tags_for_resource",
    arguments=lambda group: {"ResourceName": group.arn},
    actions=frozenset({"rds:ListTagsForResource"}),
    missing=frozenset({"DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"}),
)
