"""Keys of KMS, known by an alias: symmetric, rotated, administered by the account."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pydantic import Field, field_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.kms_rotation import Rotation
from data_protection.creation.reads import KEY_TAGS
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.errors import CreationRefused
from data_protection.policies import Grant, grants
from data_protection.readings import Found, Missing
from data_protection.reads.kms import KEY, KEY_POLICY, ROTATION
from data_protection.reads.listings import KEYS
from data_protection.resources import Kind, Resource, account_of, named

# What a service needs to encrypt and to read what it keeps or sends.
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey*")
# Aliases: API reference of CreateAlias.
_ALIAS: Final = r"^alias/[a-zA-Z0-9/_-]{1,250}$"
_SERVICE: Final = r"^[a-z][a-z0-9.-]*\.amazonaws\.com$"


class Key(Wanted):
    """A key that is asked for.

    Attributes:
        name: Its alias, as `alias/data`.
        description: What it is for.
        rotate_days: After which its material is replaced.
        services: That may use it for this account, as `cloudwatch.amazonaws.com`; people and functions are let in by
            their own policies.
    """

    KIND: ClassVar = Kind.KEY

    name: str = Field(pattern=_ALIAS)
    description: str = Field(default="", max_length=8192)
    rotate_days: int = Field(default=365, ge=90, le=2560)
    services: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_ours_to_give(cls, name: str) -> str:
        if name.startswith("alias/aws/"):
            raise ValueError(f"{name!r} begins as the aliases of AWS' own keys do; give another one")
        return name

    @field_validator("services")
    @classmethod
    def _are_services(cls, services: tuple[str, ...]) -> tuple[str, ...]:
        for service in services:
            if not re.fullmatch(_SERVICE, service):
                raise ValueError(f"{service!r} is no service of AWS; one is called as cloudwatch.amazonaws.com is")
        return services

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""
        return {"KMS-ROT": Rotation(days=self.rotate_days)}


def _half_made(look: Look[Key]) -> tuple[Resource, Mapping[str, str]] | None:
    """Return the key that this request made and gave no alias yet, and its tags.

    Raises:
        CreationRefused: There are several, of which no more than one can be meant.
    """
    found = [
        (resource, tags)
        for resource in look.snapshot.resources(Kind.KEY)
        if isinstance(reading := look.snapshot.reading(KEY_TAGS, resource), Found)
        and (tags := by_name(reading.answer["Tags"], "TagKey", "TagValue")).get(CREATING) == look.maker
    ]
    if len(found) > 1:
        arns = " and ".join(resource.arn for resource, _ in found)
        raise CreationRefused(
            f"{arns} were both made for {look.resource.name}, by two runs at once: delete all but one, and run again."
        )
    return found[0] if found else None


def _tags(look: Look[Key]) -> Mapping[str, str] | None:
    if isinstance(look.snapshot.reading(KEY, look.resource), Missing):
        # That no key of ours was listed counts only where they were.
        look.snapshot.get(KEYS, account_of(look.resource.place))
        half_made = _half_made(look)
        return None if half_made is None else half_made[1]
    return by_name(look.snapshot.get(KEY_TAGS, _itself(look)).get("Tags", []), "TagKey", "TagValue")


def _itself(look: Look[Key]) -> Resource:
    return named(Kind.KEY, look.resource.place, look.snapshot.get(KEY, look.resource)["KeyMetadata"]["Arn"])


def _to_be(look: Look[Key]) -> Resource:
    """Return the key that was made and has no alias yet, or what stands in plans for one that has no id yet."""
    if (half_made := _half_made(look)) is not None:
        return half_made[0]
    return Resource(Kind.KEY, look.resource.place, f"the-key-of-{look.resource.name.removeprefix('alias/')}")


def _create(look: Look[Key]) -> Sequence[Call]:
    if not isinstance(look.snapshot.reading(KEY, look.resource), Missing):
        return []
    alias = Call(
        service="kms",
        operation="create_alias",
        parameters={"AliasName": look.resource.name, "TargetKeyId": _to_be(look).arn},
    )
    if _half_made(look) is not None:
        return [alias]
    parameters = {
        "Description": look.wanted.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Policy": json.dumps(_policy(look), separators=(",", ":")),
        "Tags": listed(look.first_tags, "TagKey", "TagValue"),
    }
    return [Call(service="kms", operation="create_key", parameters=parameters), alias]


def _policy(look: Look[Key]) -> dict[str, Any]:
    place = look.resource.place
    account = {
        "Sid": "AccountAdministers",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{place.partition}:iam::{place.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    services = {
        "Sid": "ServicesUse",
        "Effect": "Allow",
        "Principal": {"Service": list(look.wanted.services)},
        "Action": list(_USE),
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
    }
    return {"Version": "2012-10-17", "Statement": [account, services] if look.wanted.services else [account]}


def _fresh(look: Look[Key]) -> Answers:
    key = _to_be(look)
    metadata = {
        "Arn": key.arn,
        "KeyId": key.name,
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "AWS_KMS",
        "MultiRegion": False,
    }
    return {
        (look.resource, KEY): {"KeyMetadata": metadata},
        (key, KEY): {"KeyMetadata": metadata},
        (key, ROTATION): {"KeyRotationEnabled": False},
        (key, KEY_POLICY): {"Policy": json.dumps(_policy(look))},
        (key, KEY_TAGS): {"Tags": listed(look.first_tags, "TagKey", "TagValue")},
    }


def _finish(look: Look[Key]) -> Sequence[Call]:
    parameters = {"KeyId": _itself(look).arn, "TagKeys": [CREATING]}
    return [Call(service="kms", operation="untag_resource", parameters=parameters)]


def _differences(look: Look[Key]) -> Sequence[str]:
    policy = look.snapshot.get(KEY_POLICY, _itself(look))["Policy"]
    return [
        f"Its policy does not let {service} use it."
        for service in look.wanted.services
        if grants(policy, service, _USE, look.resource.place) is not Grant.YES
    ]


RECIPE: Final = Recipe(
    wanted=Key,
    reads=(KEY,),
    further=(KEY_TAGS, KEY_POLICY),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    finish=_finish,
    differences=_differences,
    operations=frozenset({"kms:create_key", "kms:create_alias", "kms:enable_key_rotation", "kms:untag_resource"}),
    actions=frozenset(
        {
            "kms:CreateKey",
            "kms:CreateAlias",
            "kms:EnableKeyRotation",
            "kms:TagResource",
            "kms:UntagResource",
        }
    ),
    checks=frozenset({"KMS-ROT"}),
)
