"""The Query protocol, by botocore's model of RDS: form fields in, XML out.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, Shape, StructureShape
from botocore.model import ServiceModel as Model

NAMESPACE: Final = "http://rds.amazonaws.com/doc/2014-10-31/"
_ESCAPED = ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"))


@cache
def model() -> Model:
    """Return botocore's model of RDS."""
    return Model(Loader().load_service_model("rds", "service-2"), "rds")


def parse_input(action: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Return an action's input, members as the model names them.

    Raises:
        KeyError: The model has no such action, or a required member is missing: its name.
        ValueError: A value has not the form of its type.
    """
    shape: Any = model().operation_model(action).input_shape
    found: dict[str, Any] = _parse(shape, "", form)
    for name in shape.required_members:
        if name not in found:
            raise KeyError(name)
    return found


def actions() -> frozenset[str]:
    """Return the names of all actions that the model has."""
    return frozenset(model().operation_names)


def write_result(action: str, result: Mapping[str, Any], request_id: str) -> bytes:
    """Return the XML of an answer.

    A string member may be given as bytes, which go into it unchanged but for escapes.
    """
    shape: Any = model().operation_model(action).output_shape
    inner = b"".join(_members(shape, result))
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>'.encode()
        + inner
        + f"</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{action}Response>".encode()
    )


def write_error(code: str, message: str, status: int, request_id: str) -> bytes:
    """Return the XML of an error."""
    kind = "Sender" if status < 500 else "Receiver"  # noqa: PLR2004 - whose fault it is
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type><Code>{code}</Code><Message>'.encode()
        + _escape(message.encode())
        + f"</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>".encode()
    )


def _parse(shape: Shape, prefix: str, form: Mapping[str, str]) -> Any:
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            path = f"{prefix}.{member.serialization.get('name', name)}" if prefix else name
            if path in form or any(key.startswith(f"{path}.") for key in form):
                found[name] = _parse(member, path, form)
        return found
    if isinstance(shape, ListShape):
        path = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        pattern = re.compile(re.escape(path) + r"\.(\d+)")
        numbers = {int(match[1]) for key in form if (match := pattern.match(key))}
        return [_parse(shape.member, f"{path}.{number}", form) for number in sorted(numbers)]
    return _value(shape, form[prefix])


def _value(shape: Shape, text: str) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "boolean":
            return text == "true"
        case "timestamp":
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case _:
            return text


def _members(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[bytes]:
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _element(member.serialization.get("name", name), member, value[name])


def _element(name: str, shape: Shape, value: Any) -> Iterator[bytes]:
    yield f"<{name}>".encode()
    if isinstance(shape, StructureShape):
        yield from _members(shape, value)
    elif isinstance(shape, ListShape):
        for one in value:
            yield from _element(shape.member.serialization.get("name", "member"), shape.member, one)
    else:
        yield _text(value)
    yield f"</{name}>".encode()


def _text(value: Any) -> bytes:
    if isinstance(value, bytes):
        return _escape(value)
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].encode() + b"Z"
    return _escape(str(value).encode())


def _escape(data: bytes) -> bytes:
    for raw, escaped in _ESCAPED:
        data = data.replace(raw, escaped)
    return data
