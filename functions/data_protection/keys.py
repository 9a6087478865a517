"""Keys that are to encrypt something."""

from typing import Any

from data_protection.changes import CannotChange
from data_protection.checks.check import Case
from data_protection.reads.kms import KEY
from data_protection.resources import Kind, named
from data_protection.snapshot import ResourceMissing


def usable_key(case: Case[Any], name: str | None, what: str) -> str:
    """Return the ARN of a key by which AWS would encrypt something, `what`.

    Raises:
        CannotChange: None is named, or that one cannot do it.
    """
    if name is None:
        raise CannotChange("The profile names no key: give the id, ARN or alias of the approved one as `key`.")
    try:
        key = case.get(KEY, named(Kind.KEY, case.resource.place, name))["KeyMetadata"]
    except ResourceMissing:
        raise CannotChange(f"There is no key {name}: create it, or correct the profile.") from None
    given = (key["KeyState"], key["KeyManager"], key["KeySpec"])
    if given != ("Enabled", "CUSTOMER", "SYMMETRIC_DEFAULT"):
        raise CannotChange(
            f"The key {name} is {', '.join(given)}: {what} needs an enabled symmetric one that a customer manages."
        )
    return str(key["Arn"])
