"""Conditions of policies: which of them keep a statement from being about everything."""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

# Operators that no request meets without the key; `...IfExists`, `ForAllValues:` and the negated ones are:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_DEMANDING: Final = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool"})
_SAYS_NOTHING: Final = re.compile(r"[*?]*|false", re.IGNORECASE)


def demanded(conditions: Mapping[str, Mapping[str, Any]], *keys: str) -> Iterator[tuple[str, ...]]:
    """Yield the values of each condition that a request must meet by one of some keys.

    Args:
        conditions: By operator and key, as AWS has them.
        keys: In lower case, with wildcards.
    """
    for operator, asked in conditions.items():
        if operator.removeprefix("ForAnyValue:") not in _DEMANDING:
            continue
        for key, values in asked.items():
            if any(fnmatch.fnmatchcase(key.lower(), pattern) for pattern in keys):
                yield tuple(map(str, values)) if isinstance(values, list | tuple) else (str(values),)


def narrows(conditions: Mapping[str, Mapping[str, Any]], *keys: str) -> bool:
    """Return whether a request must meet a condition by one of some keys, by other values than any."""
    return any(not any(map(_SAYS_NOTHING.fullmatch, values)) for values in demanded(conditions, *keys))


def is_everything(resource: str) -> bool:
    """Return whether a policy's resource names none: `*`, `arn:aws:s3:::*`, or all of a type as in `table/*`.

    In S3's ARNs and those of API Gateway a name stands where others have the type of the resource.
    """
    fields = resource.split(":", 5)
    named = fields[-1]
    if len(fields) > 5 and fields[2] not in {"s3", "execute-api"}:  # noqa: PLR2004 - the fields before the resource
        named = re.sub(r"^[A-Za-z-]+[/:]", "", named)
    return not named.strip("*?/:")
