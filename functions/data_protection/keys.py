"""Keys that requirements name, and keys that are to encrypt something."""

from collections.abc import Iterable
from typing import Any

from data_protection.changes import CannotChange
from data_protection.checks.check import Case
from data_protection.readings import Answer, Read
from data_protection.reads.kms import KEY
from data_protection.resources import Kind, Place, Resource, named
from data_protection.snapshot import ResourceMissing


def asked_key(place: Place, key: str | None) -> Iterable[tuple[Resource, Read]]:
    """Yield what must be read of the key that a requirement names by its id, ARN or alias, if it names one."""
    if key is not None:
        yield named(Kind.KEY, place, key), KEY


def metadata(case: Case[Any], name: str) -> Answer:
    """Return what AWS says of a key by its id, ARN or alias.

    Raises:
        NotRead: It says nothing.
        ResourceMissing: There is no such key.
    """
    key: Answer = case.get(KEY, named(Kind.KEY, case.resource.place, name))["KeyMetadata"]
    return key


def usable_key(case: Case[Any], name: str | None, what: str) -> str:
    """Return the ARN of a key by which AWS would encrypt something, `what`.

    Raises:
        CannotChange: None is named, or that one cannot do it.
    """
    if name is None:
        raise CannotChange("The profile names no key: give the id, ARN or alias of the approved one as `key`.")
    try:
        key = metadata(case, name)
    except ResourceMissing:
        raise CannotChange(f"There is no key {name}: create it, or correct the profile.") from None
    given = (key["KeyState"], key["KeyManager"], key["KeySpec"])
    if given != ("Enabled", "CUSTOMER", "SYMMETRIC_DEFAULT"):
        raise CannotChange(
            f"The key {name} is {', '.join(given)}: {what} needs an enabled symmetric one that a customer manages."
        )
    return str(key["Arn"])
