"""Secrets: Secrets Manager itself makes the value, which nobody sees until it is asked for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.secrets_rotation import SecretRotation
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.keys import usable_key
from data_protection.readings import Missing, Read
from data_protection.reads.kms import KEY
from data_protection.reads.secrets import SECRET
from data_protection.resources import Kind, Resource, named

GENERATE: Final = "GenerateSecretString"
"""What stands in a call for the value, as CloudFormation says it: the adapter asks Secrets Manager for one."""

# API reference of CreateSecret. A hyphen and six characters at the end look like what AWS adds to the ARN.
_NAME: Final = r"^[A-Za-z0-9/_+=.@-]{1,512}$"
_LAMBDA: Final = r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:.+$"
_LOOKALIKE: Final = 7
_LEAST_LENGTH: Final = 20


class Secret(Wanted):
    """A secret that is asked for.

    Attributes:
        key: ARN, id or alias of the key that encrypts it.
        description: What it is for.
        length: Characters of the generated value; each of the four kinds of characters is in it.
        exclude: Characters that must not be in it, as some engines take not all.
        username: Makes the value a JSON object of it and the password; None for the bare password.
        rotate: Function that replaces it, and after how many days.
        unrotated: Why nothing replaces it, instead.
    """

    KIND: ClassVar = Kind.SECRET

    name: str = Field(pattern=_NAME)
    key: str = Field(min_length=1)
    description: str = Field(default="", max_length=2048)
    length: int = Field(default=32, ge=_LEAST_LENGTH, le=4096)
    exclude: str = Field(default="", max_length=64)
    username: str | None = Field(default=None, min_length=1, max_length=128)
    rotate: SecretRotation | None = None
    unrotated: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.name[-_LOOKALIKE:].startswith("-"):
            raise ValueError(f"{self.name} ends in a hyphen and six characters, as AWS ends ARNs; give another name")
        if (self.rotate is None) == (not self.unrotated.strip()):
            raise ValueError(f"say what rotates {self.name}, or why nothing does as unrotated")
        if self.rotate is not None and not self.rotate.function:
            raise ValueError(f"name the function that rotates {self.name}")
        for kind in ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"):
            if not set(kind) - set(self.exclude):
                raise ValueError(
                    f"the value of {self.name} has lower-case and upper-case letters and digits; leave some"
                )
        return self

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""
        return {} if self.rotate is None else {"SEC-ROT": self.rotate}


def _tags(look: Look[Secret]) -> Mapping[str, str] | None:
    if isinstance(look.snapshot.reading(SECRET, look.resource), Missing):
        return None
    return by_name(look.snapshot.get(SECRET, look.resource).get("Tags", []))


def _create(look: Look[Secret]) -> Sequence[Call]:
    if _tags(look) is not None:
        return []
    wanted = look.wanted
    value: dict[str, Any] = {
        "PasswordLength": wanted.length,
        "RequireEachIncludedType": True,
        **({"ExcludeCharacters": wanted.exclude} if wanted.exclude else {}),
    }
    if wanted.username is not None:
        value |= {"username": wanted.username}
    parameters = {
        "Name": wanted.name,
        "Description": wanted.description,
        "KmsKeyId": usable_key(look.case(), wanted.key, "a secret"),
        GENERATE: value,
        "Tags": listed(look.first_tags),
    }
    return [Call(service="secretsmanager", operation="create_secret", parameters=parameters)]


def _fresh(look: Look[Secret]) -> Answers:
    described = {"Name": look.wanted.name, "Tags": listed(look.first_tags)}
    return {(look.resource, SECRET): described}


def _finish(look: Look[Secret]) -> Sequence[Call]:
    parameters = {"SecretId": look.resource.name, "TagKeys": [CREATING]}
    return [Call(service="secretsmanager", operation="untag_resource", parameters=parameters)]


def _names(resource: Resource, wanted: Secret) -> Iterable[tuple[Resource, Read]]:
    yield resource, SECRET
    yield named(Kind.KEY, resource.place, wanted.key), KEY


def _differences(look: Look[Secret]) -> Sequence[str]:
    secret = look.snapshot.get(SECRET, look.resource)
    found, asked = secret.get("KmsKeyId"), look.key_arn(look.wanted.key)
    if secret.get("DeletedDate"):
        return [f"It is to be deleted, since {secret['DeletedDate']}."]
    return [] if found == asked else [f"It is encrypted with {found or 'the key that AWS manages'}."]


RECIPE: Final = Recipe(
    wanted=Secret,
    reads=(SECRET,),
    names=_names,
    further=(KEY,),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    finish=_finish,
    differences=_differences,
    operations=frozenset(
        {"secretsmanager:create_secret", "secretsmanager:rotate_secret", "secretsmanager:untag_resource"}
    ),
    actions=frozenset(
        {
            "secretsmanager:CreateSecret",
            "secretsmanager:GetRandomPassword",
            "secretsmanager:RotateSecret",
            "secretsmanager:TagResource",
            "secretsmanager:UntagResource",
            "lambda:InvokeFunction",
            # Secrets Manager asks for them in the name of who makes the secret; its user guide, "Encryption".
            "kms:Decrypt",
            "kms:GenerateDataKey",
        }
    ),
    checks=frozenset({"SEC-ROT"}),
)
