"""What a selection of AWS Backup selects.

Any of its ARNs or any of its ListOfTags selects; Conditions must all hold, and NotResources takes out. A selection that
says nothing selects everything. ARNs and ListOfTags widen each other, which surprises people and is how AWS does it.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html,
https://github.com/hashicorp/terraform-provider-aws/issues/49829
"""

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

_CONDITIONS: Final[dict[str, Callable[[str | None, str], bool]]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": lambda value, wanted: value is not None and fnmatch.fnmatchcase(value, wanted),
    "StringNotEquals": lambda value, wanted: value != wanted,
    "StringNotLike": lambda value, wanted: value is None or not fnmatch.fnmatchcase(value, wanted),
}


def selects(selection: Mapping[str, Any], arn: str, tags: Mapping[str, str]) -> bool:
    """Return whether a selection selects a resource.

    Args:
        selection: As GetBackupSelection answers it.
        arn: Of the resource.
        tags: Of it.
    """
    if _matches(selection.get("NotResources"), arn) or not _hold(selection.get("Conditions") or {}, tags):
        return False
    arns, listed = selection.get("Resources") or [], selection.get("ListOfTags") or []
    if not arns and not listed:
        return True
    return _matches(arns, arn) or any(_value(tags, one) == one["ConditionValue"] for one in listed)


def names_type(selection: Mapping[str, Any], arn: str) -> bool:
    """Return whether a selection selects a resource by an ARN of its service, for which AWS does not ask for opt-in."""
    return _matches([one for one in selection.get("Resources") or [] if one != "*"], arn)


def reads_tags(selection: Mapping[str, Any]) -> bool:
    """Return whether a selection selects by tags."""
    return bool(selection.get("ListOfTags")) or any((selection.get("Conditions") or {}).values())


def _matches(patterns: Iterable[str] | None, arn: str) -> bool:
    # AWS takes a wildcard at the end of an ARN; brackets, which fnmatch would read, are not in ARNs of ours.
    return any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns or ())


def _hold(conditions: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    return all(
        _CONDITIONS[operator](_value(tags, one), one["ConditionValue"])
        for operator, ones in conditions.items()
        for one in ones or ()
    )


def _value(tags: Mapping[str, str], condition: Mapping[str, str]) -> str | None:
    return tags.get(condition["ConditionKey"].removeprefix("aws:ResourceTag/"))
