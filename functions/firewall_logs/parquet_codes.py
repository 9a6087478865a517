"""Text of a parquet file as dictionaries, without a detour by text.

Writers of parquet store repetitive text as dictionaries anyway. polars reads them as what they are, in half the time
that decoding and encoding again takes, but only where the footer's Arrow schema calls a column a dictionary. Those of
raw objects do not; hence a second footer behind the first, for as long as the file is read.
"""

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import polars as pl
from polars.exceptions import PanicException, PolarsError

from firewall_logs.dictionary import number_of_codes, texts_of
from firewall_logs.encodings import Encodings

_ARROW_SCHEMA: Final = "ARROW:schema"
_TAIL: Final = struct.Struct("<I4s")
# Thrift's compact protocol: the end of a struct; a field with number 5 and type list, whatever field was before it; a
# list of one struct; the next field of a struct, with type binary.
_STOP: Final = b"\x00"
_KEY_VALUES: Final = b"\x09\x0a"
_ONE_STRUCT: Final = b"\x1c"
_NEXT_BINARY: Final = b"\x18"
_CONTINUED: Final = 0x80


class TextAsCodes:
    """Reads rows of a parquet file, some of its columns of text as Categorical; a context manager.

    Where polars would not read the codes of the file, text is read and encoded: the rows are the same, only later.

    Attributes:
        direct: Whether codes come from the file; True only while it is open.
    """

    def __init__(self, raw: Path, dtypes: Mapping[str, pl.Categorical]) -> None:
        """Read from a file of which these columns are wanted as Categorical.

        Args:
            raw: Of nobody else's: it is longer while it is open, and as before afterwards.
            dtypes: By column the Categorical; left alone, polars reads String.
        """
        self.direct = False
        self._raw = raw
        self._size = raw.stat().st_size
        self._dtypes = dict(dtypes)
        self._encodings = Encodings(dtypes)
        self._checked = dict.fromkeys(dtypes, 0)
        self._scan = pl.scan_parquet(raw)

    def __enter__(self) -> Self:
        wanted = pl.Schema(self._scan.collect_schema() | pl.Schema(self._dtypes))
        try:
            self.direct = bool(self._dtypes) and self._opens_as(wanted)
        except (OSError, PolarsError, PanicException):
            self.direct = False
        if not self.direct:
            self._as_before()
        return self

    def __exit__(self, *_: object) -> None:
        self._as_before()

    def rows(self, first: int, length: int) -> pl.DataFrame:
        """Return rows with all columns of the file.

        Raises:
            PolarsError, PanicException: They cannot be decoded.
        """
        try:
            rows = self._scan.slice(first, length).collect()
            if self.direct:
                self._check_text(rows)
            else:
                rows = rows.with_columns(self._encodings.apply(rows.select(list(self._dtypes))).get_columns())
        except (PolarsError, PanicException):
            if not self.direct:
                raise
        else:
            return rows
        # polars reads some encodings of pages only as text; a dictionary may have to become a wider one; and what is
        # broken is so in either way.
        self._as_before()
        return self.rows(first, length)

    def _check_text(self, rows: pl.DataFrame) -> None:
        # polars does not look whether what it takes from plain pages for a dictionary is UTF-8. All that a dictionary
        # has is looked at once, whoever brought it there.
        for name, dtype in self._dtypes.items():
            known = number_of_codes(rows[name].to_physical())
            if known > self._checked[name]:
                texts_of(dtype, range(self._checked[name], known)).cast(pl.Binary).cast(pl.String)
                self._checked[name] = known

    def _opens_as(self, wanted: pl.Schema) -> bool:
        """Return whether a second footer makes polars read what is wanted."""
        found = self._noting(self._dtypes)
        if found != wanted:
            # A note of the file itself said more of some columns than parquet does: a time zone, nothing but nulls.
            lost = {name: dtype for name, dtype in wanted.items() if found.get(name) != dtype}
            found = self._noting(lost | self._dtypes)
        return found == wanted

    def _noting(self, dtypes: Mapping[str, pl.DataType]) -> pl.Schema:
        _append_footer(self._raw, _note(dtypes))
        self._scan = pl.scan_parquet(self._raw)
        return self._scan.collect_schema()

    def _as_before(self) -> None:
        self.direct = False
        if self._raw.stat().st_size != self._size:
            with self._raw.open("r+b") as file:
                file.truncate(self._size)
        self._scan = pl.scan_parquet(self._raw)


def _append_footer(raw: Path, arrow_schema: str) -> None:
    with raw.open("r+b") as file:
        end = file.seek(-_TAIL.size, io.SEEK_END)
        length, magic = _TAIL.unpack(file.read())
        file.seek(end - length)
        footer = with_note(file.read(length), arrow_schema)
        file.seek(0, io.SEEK_END)
        file.write(footer + _TAIL.pack(len(footer), magic))


def with_note(footer: bytes, arrow_schema: str) -> bytes:
    """Return a footer (parquet's FileMetaData) that notes this Arrow schema, and no other key-value metadata.

    Fields of a struct may come in any order, and of two with one number polars takes the last. So nothing of a footer
    has to be parsed to replace one: it is enough to add it.
    """
    note = _binary(_ARROW_SCHEMA.encode()) + _binary(arrow_schema.encode()) + _STOP
    return footer.removesuffix(_STOP) + _KEY_VALUES + _ONE_STRUCT + note + _STOP


def _binary(value: bytes) -> bytes:
    size = bytearray()
    rest = len(value)
    while rest >= _CONTINUED:
        size.append(rest % _CONTINUED + _CONTINUED)
        rest //= _CONTINUED
    return _NEXT_BINARY + bytes(size) + bytes([rest]) + value


def _note(dtypes: Mapping[str, pl.DataType]) -> str:
    """Return the Arrow schema of these columns, as polars writes it; of the others none means: as ever."""
    buffer = io.BytesIO()
    pl.DataFrame(schema=dict(dtypes)).write_parquet(buffer)
    return pl.read_parquet_metadata(io.BytesIO(buffer.getvalue()))[_ARROW_SCHEMA]
