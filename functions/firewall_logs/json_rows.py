"""NDJSON lines one by one: slow, exact, and the judge in every case of doubt."""

from dataclasses import dataclass, field
from typing import Any

from firewall_logs import schema
from firewall_logs.times import Bounds, TimeRefused, instant
from firewall_logs.values import CONVERSIONS, Conflict, NotJson, RepeatedKeys, canonical, parse_json


class RowRefused(ValueError):  # a row's state
    """A line is no event.

    Attributes:
        reason: For quarantine.
        field: Raw name of the offending field, where there is one.
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


@dataclass
class LineReader:
    """Reads lines, and keeps the keys it meets.

    Attributes:
        bounds: What the feed and the object say about times.
        keys: Top-level keys of all objects so far, refused or not.
    """

    bounds: Bounds
    keys: set[str] = field(default_factory=set)

    def read(self, line: bytes) -> dict[str, str | None]:
        """Return the documented fields of a line as text that converts to their lake values, and `extra`.

        Raises:
            RowRefused: With the first reason up to `type_conflict` that applies.
        """
        event = self._object(line)
        if schema.TIME_FIELD not in event and schema.FOREIGN_TIME_FIELD in event:
            raise RowRefused("wrong_dataset")
        time = event.get(schema.TIME_FIELD)
        try:
            instant(time, self.bounds)
        except TimeRefused as refusal:
            raise RowRefused(str(refusal), schema.TIME_FIELD) from None
        texts = {name: _text(schema.FIELD_BY_RAW[name], event[name]) for name in _KNOWN if name in event}
        unknown = {n: value for n, value in event.items() if n not in schema.FIELD_BY_RAW and value is not None}
        return {schema.TIME_FIELD: str(time), **texts, "extra": canonical(unknown) if unknown else None}

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            value = parse_json(line.decode())
        except UnicodeDecodeError:
            raise RowRefused("not_utf8") from None
        except NotJson:
            raise RowRefused("json_syntax") from None
        if not isinstance(value, dict):
            raise RowRefused("not_object")
        self.keys.update(value)
        if isinstance(value, RepeatedKeys):
            raise RowRefused("duplicate_key")
        return value


_KNOWN = tuple(known.raw for known in schema.FIELDS if known.type != "time")


def _text(known: schema.Field, value: Any) -> str | None:
    try:
        converted = CONVERSIONS[known.type](value)
    except Conflict:
        raise RowRefused("type_conflict", known.raw) from None
    if converted is None or isinstance(converted, str):
        return converted
    if isinstance(converted, int):
        return str(converted)
    return canonical([str(item) if isinstance(item, int) else item for item in converted])
