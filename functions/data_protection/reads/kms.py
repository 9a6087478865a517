"""Reads of KMS.

A key may be named by an alias; its policy and rotation are answered for ids and ARNs alone. So KEY is read of the name,
and leads to the key of the answer, of which the others are read.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource, named

_MISSING: Final = frozenset({"NotFoundException"})


def itself(resource: Resource, answer: Answer) -> Resource:
    """Return the key that an answer of KEY is about, whatever it was called in the question."""
    return named(Kind.KEY, resource.place, answer["KeyMetadata"]["Arn"])


def _key(resource: Resource) -> Mapping[str, Any]:
    return {"KeyId": resource.name}


def _itself(resource: Resource, answer: Answer) -> Iterable[Resource]:
    yield itself(resource, answer)


KEY: Final = Read(
    name="kms.DescribeKey",
    kind=Kind.KEY,
    service="kms",
    operation="describe_key",
    arguments=_key,
    actions=frozenset({"kms:DescribeKey"}),
    missing=_MISSING,
    leads_to=_itself,
)

ROTATION: Final = Read(
    name="kms.GetKeyRotationStatus",
    kind=Kind.KEY,
    service="kms",
    operation="get_key_rotation_status",
    arguments=_key,
    actions=frozenset({"kms:GetKeyRotationStatus"}),
    # What an asymmetric key or one of an external store answers.
    absent=frozenset({"UnsupportedOperationException"}),
    missing=_MISSING,
)

KEY_POLICY: Final = Read(
    name="kms.GetKeyPolicy",
    kind=Kind.KEY,
    service="kms",
    operation="get_key_policy",
    arguments=lambda resource: {"KeyId": resource.name, "PolicyName": "default"},
    actions=frozenset({"kms:GetKeyPolicy"}),
    missing=_MISSING,
)
