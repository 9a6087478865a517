"""Lists of configuration that people write as JSON: parsed as a whole, refused with a sentence that names the place."""

import json
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from firewall_logs.errors import FirewallLogsError

Item = TypeVar("Item", bound=BaseModel)


def parse_list(
    document: str, items: TypeAdapter[list[Item]], noun: str, invalid: type[FirewallLogsError]
) -> list[Item]:
    """Return the validated items of a JSON list.

    Args:
        document: The text.
        items: What it must be.
        noun: What one item is called, with a plural in "s"; items have a field `name`.
        invalid: Raised with the sentence.
    """
    try:
        raw = json.loads(document)
        return items.validate_python(raw)
    except json.JSONDecodeError as error:
        raise invalid(f"The {noun}s are no JSON: {error}.") from None
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise invalid(_sentence(noun, raw, first["loc"], message, refused.error_count())) from None


def _sentence(noun: str, raw: object, loc: tuple[int | str, ...], message: str, count: int) -> str:
    if not loc or not isinstance(raw, list) or not isinstance(loc[0], int):
        return f"The {noun}s are not valid: {message}."
    entry = raw[loc[0]]
    name = entry.get("name", f"number {loc[0] + 1}") if isinstance(entry, dict) else f"number {loc[0] + 1}"
    field = ".".join(str(part) for part in loc[1:])
    place = f"field '{field}' of {noun} '{name}'" if field else f"{noun} '{name}'"
    rest = f" ({count - 1} more to mend after it)" if count > 1 else ""
    return f"The {noun}s are not valid: {place}: {message}{rest}."
