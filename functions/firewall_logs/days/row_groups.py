"""Which row groups of an events file can hold rows of a cut: by its footer, without reading any of them. Pure.

Reads of parquet's FileMetaData (apache/parquet-format `parquet.thrift`) just places and the statistics of one column.
polars has no function for that, and pyarrow may not share its process.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.cutting import position

HOST: Final = "client_request_host"
# Length of the footer and magic, at a file's end.
TRAILER: Final = 8

# Field numbers of parquet.thrift.
_ROW_GROUPS: Final = 4
_COLUMNS, _ROWS = 1, 3
_CHUNK: Final = 3
_PATH, _COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE, _STATISTICS = 3, 7, 9, 11, 12
_NULLS, _HIGH, _LOW = 3, 5, 6

# Host, in bytes since statistics are; without the hour, which has none.
_HostPosition = tuple[bool, bytes]


@dataclass(frozen=True)
class Span:
    """Row groups of an events file that follow each other.

    Attributes:
        first_row: Position in the file of their first row.
        start: Offset of their first byte.
        end: Offset after their last byte.
    """

    first_row: int
    rows: int
    start: int
    end: int


@dataclass(frozen=True)
class RowGroup(Span):
    """One row group.

    Attributes:
        lowest: No host of it comes before this one; None where the statistics do not say.
        highest: Nor after this one.
    """

    lowest: _HostPosition | None
    highest: _HostPosition | None

    def may_hold(self, cut: Cut) -> bool:
        """Return False where no row of the group is in the cut."""
        before = cut.start is not None and self.highest is not None and self.highest < _host(cut.start)
        after = cut.end is not None and self.lowest is not None and self.lowest > _host(cut.end)
        return not (before or after)


def footer_bytes(tail: bytes) -> int:
    """Return how many bytes at the end of a file its footer takes, by its last TRAILER bytes or more."""
    return int.from_bytes(tail[-TRAILER:-4], "little") + TRAILER


def row_groups(tail: bytes) -> list[RowGroup]:
    """Return the row groups of a file in order, by its footer or more of its end."""
    footer = _Compact(tail[len(tail) - footer_bytes(tail) :]).struct()
    groups: list[RowGroup] = []
    for group in footer.get(_ROW_GROUPS, []):
        chunks = [column[_CHUNK] for column in group[_COLUMNS]]
        starts = [chunk.get(_DICTIONARY_PAGE, chunk[_DATA_PAGE]) for chunk in chunks]
        lowest, highest = _hosts(next(chunk for chunk in chunks if chunk[_PATH] == [HOST.encode()]), group[_ROWS])
        groups.append(
            RowGroup(
                first_row=groups[-1].first_row + groups[-1].rows if groups else 0,
                rows=group[_ROWS],
                start=min(starts),
                end=max(start + chunk[_COMPRESSED] for start, chunk in zip(starts, chunks, strict=True)),
                lowest=lowest,
                highest=highest,
            )
        )
    return groups


def span(groups: Iterable[RowGroup], cut: Cut) -> Span | None:
    """Return the rows from the first to the last of the row groups that may hold rows of a cut; None if none may."""
    wanted = [group for group in groups if group.may_hold(cut)]
    if not wanted:
        return None
    first, last = wanted[0], wanted[-1]
    return Span(first.first_row, last.first_row + last.rows - first.first_row, first.start, last.end)


def _hosts(chunk: dict[int, Any], rows: int) -> tuple[_HostPosition | None, _HostPosition | None]:
    statistics = chunk.get(_STATISTICS, {})
    nulls, low, high = (statistics.get(field) for field in (_NULLS, _LOW, _HIGH))
    if nulls == rows:
        return (False, b""), (False, b"")
    lowest = (False, b"") if nulls else None if low is None else (True, low)
    return lowest, None if high is None else (True, high)


def _host(place: Place) -> _HostPosition:
    given, host, _ = position(place.host, place.hour)
    return given, host.encode()


class _Compact:
    """Reads Thrift's compact protocol (apache/thrift `doc/specs/thrift-compact-protocol.md`)."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._at = 0

    def struct(self) -> dict[int, Any]:
        """Return the fields of a struct by number."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = divmod(head, 16)
            number = number + step if step else self._zigzag()
            # A field that is a boolean is its type.
            fields[number] = kind == 1 if kind in {1, 2} else self._VALUES[kind](self)
        return fields

    def _list(self) -> list[Any]:
        size, kind = divmod(self._byte(), 16)
        read = self._VALUES[kind]
        return [read(self) for _ in range(self._varint() if size == 15 else size)]  # noqa: PLR2004 - by the protocol

    def _binary(self) -> bytes:
        length = self._varint()
        self._at += length
        return self._encoded[self._at - length : self._at]

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) >= 128:  # noqa: PLR2004 - the bit that says there are more
            value |= (byte - 128) << shift
            shift += 7
        return value | byte << shift

    def _byte(self) -> int:
        self._at += 1
        return self._encoded[self._at - 1]

    # By type: byte, the three sizes of integer, binary, list, struct. FileMetaData has neither doubles, sets nor maps,
    # and in a list a boolean is a byte.
    _VALUES: Final[dict[int, Callable[["_Compact"], Any]]] = {
        1: _byte,
        2: _byte,
        3: _byte,
        4: _zigzag,
        5: _zigzag,
        6: _zigzag,
        8: _binary,
        9: _list,
        12: struct,
    }
