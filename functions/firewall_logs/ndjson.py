"""Raw NDJSON to rows."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from firewall_logs import schema
from firewall_logs.dictionary import encoding
from firewall_logs.judgement import FINDINGS
from firewall_logs.rows import ObjectDefect, RawRows
from firewall_logs.times import Bounds, TimeRefused, instant
from firewall_logs.values import CONVERSIONS, Conflict, NotJson, RepeatedKeys, canonical, parse_json

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS
_COMPRESSED_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 16 << 20


def decompressed(raw: Path) -> Iterator[bytes]:
    """Yield the decompressed bytes of all gzip members, in pieces of any length.

    Raises:
        ObjectDefect: `empty`, `not_gzip`, `gzip_truncated` or `gzip_corrupt`.
    """
    with raw.open("rb") as file:
        data = file.read(_COMPRESSED_BYTES)
        if not data:
            raise ObjectDefect("empty")
        if not data.startswith(_GZIP_MAGIC):
            raise ObjectDefect("not_gzip")
        member = zlib.decompressobj(_GZIP)
        try:
            while data:
                yield member.decompress(data)
                data = member.unused_data if member.eof else b""
                if member.eof and (data or (data := file.read(_COMPRESSED_BYTES))):
                    member = zlib.decompressobj(_GZIP)
                elif not member.eof:
                    data = file.read(_COMPRESSED_BYTES)
        except zlib.error:
            raise ObjectDefect("gzip_corrupt") from None
    if not member.eof:
        raise ObjectDefect("gzip_truncated")


def blocks(raw: Path) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks of whole lines, the line feed at the end of the last one included."""
    pending = bytearray()
    for piece in decompressed(raw):
        pending += piece
        if len(pending) >= _BLOCK_BYTES and (end := pending.rfind(b"\n") + 1):
            yield bytes(pending[:end])
            del pending[:end]
    if pending:
        yield bytes(pending)


def read(raw: Path, bounds: Bounds) -> RawRows:
    """Read the rows of an object."""
    records: list[dict[str, Any]] = []
    refused: list[tuple[int, str, str | None]] = []
    seen: set[str] = set()
    row = blank = source = 0
    for block in blocks(raw):
        for line in block.removesuffix(b"\n").split(b"\n"):
            if not line.strip():
                blank += 1
            else:
                source += 1
                try:
                    records.append(_record(line, bounds, seen) | {"row": row})
                except RowRefused as refusal:
                    refused.append((row, refusal.reason, refusal.field))
            row += 1
    fields = {f.raw: pl.String() for f in schema.FIELDS if f.raw in seen or f.type == "time"}
    frame = pl.DataFrame(records, schema={"row": pl.Int64(), "extra": pl.String(), **fields}, orient="row")
    frame = frame.with_columns(pl.col(name).cast(encoding(name)) for name in fields if name not in ("Datetime", "RayID"))
    return RawRows(
        frame=frame.drop("row"),
        row=frame["row"],
        refused=pl.DataFrame(refused, schema=FINDINGS, orient="row"),
        columns_seen=sorted(seen),
        blank_lines=blank,
        source_rows=source,
        raw=lambda wanted: _raw(raw, wanted),
    )


class RowRefused(ValueError):  # noqa: N818
    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


def _record(line: bytes, bounds: Bounds, seen: set[str]) -> dict[str, str | None]:
    try:
        value = parse_json(line.decode())
    except UnicodeDecodeError:
        raise RowRefused("not_utf8") from None
    except NotJson:
        raise RowRefused("json_syntax") from None
    if not isinstance(value, dict):
        raise RowRefused("not_object")
    seen.update(value)
    if isinstance(value, RepeatedKeys):
        raise RowRefused("duplicate_key")
    if schema.TIME_FIELD not in value and schema.FOREIGN_TIME_FIELD in value:
        raise RowRefused("wrong_dataset")
    time = value.pop(schema.TIME_FIELD, None)
    try:
        instant(time, bounds)
    except TimeRefused as refusal:
        raise RowRefused(str(refusal), schema.TIME_FIELD) from None
    record: dict[str, str | None] = {schema.TIME_FIELD: str(time)}
    for field in schema.FIELDS:
        if field.type != "time" and value.get(field.raw) is not None:
            try:
                record[field.raw] = _text(CONVERSIONS[field.type](value[field.raw]))
            except Conflict:
                raise RowRefused("type_conflict", field.raw) from None
    unknown = {k: v for k, v in value.items() if k not in schema.FIELD_BY_RAW and v is not None}
    record["extra"] = canonical(unknown) if unknown else None
    return record


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    import json
    return json.dumps(value, ensure_ascii=False)


def _raw(raw: Path, wanted: pl.Series) -> Iterator[bytes]:
    rows = iter(wanted.to_list())
    target = next(rows, None)
    row = 0
    for block in blocks(raw):
        for line in block.removesuffix(b"\n").split(b"\n"):
            if row == target:
                yield line
                target = next(rows, None)
            row += 1
        if target is None:
            return
