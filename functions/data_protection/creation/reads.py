"""Reads that tell whose a resource is: its tags as its own service has them, not as the tagging service will."""

from dataclasses import replace
from typing import Final

from data_protection.readings import Read
from data_protection.resources import Kind

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

_NO_GROUP: Final = frozenset({"DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"})

OWN_PARAMETER_GROUP: Final = Read(
    name="rds.DescribeDBParameterGroups",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="describe_db_parameter_groups",
    arguments=lambda group: {"DBParameterGroupName": group.name},
    actions=frozenset({"rds:DescribeDBParameterGroups"}),
    missing=_NO_GROUP,
)

PARAMETER_GROUP_TAGS: Final = Read(
    name="rds.ListTagsForResource",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="list_tags_for_resource",
    arguments=lambda group: {"ResourceName": group.arn},
    actions=frozenset({"rds:ListTagsForResource"}),
    missing=_NO_GROUP,
)

OWN_CLUSTER_PARAMETER_GROUP: Final = Read(
    name="rds.DescribeDBClusterParameterGroups",
    kind=Kind.CLUSTER_PARAMETER_GROUP,
    service="rds",
    operation="describe_db_cluster_parameter_groups",
    arguments=lambda group: {"DBClusterParameterGroupName": group.name},
    actions=frozenset({"rds:DescribeDBClusterParameterGroups"}),
    missing=_NO_GROUP,
)

CLUSTER_PARAMETER_GROUP_TAGS: Final = replace(
    PARAMETER_GROUP_TAGS, name="rds.ListTagsForResource of a cluster's", kind=Kind.CLUSTER_PARAMETER_GROUP
)
