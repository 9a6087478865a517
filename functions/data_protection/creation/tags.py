"""By which a resource is known as ours to go on with: nothing that others made is ever changed."""

from collections.abc import Mapping
from typing import Final

CREATING: Final = "gatehouse:creating"
"""On a resource that is being made, with who makes it; gone once it is as it was asked for."""
CREATED_BY: Final = "gatehouse:created-by"
"""On a resource for good, with the name of the request."""


def listed(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return tags as calls of AWS have them; KMS says `TagKey` and `TagValue`."""
    return [{key: name, value: content} for name, content in sorted(tags.items())]


def by_name(tags: list[Mapping[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Return tags by name from how answers of AWS have them."""
    return {tag[key]: tag[value] for tag in tags}
