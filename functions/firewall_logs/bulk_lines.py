"""NDJSON lines at once: by a parser of columns, as far as their structures vouch for what it makes of them."""

from collections.abc import Callable
from typing import Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from firewall_logs import schema
from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.extras import join_members
from firewall_logs.structures import Kind, Structure, reduced, structure_of
from firewall_logs.values import canonical, parse_json

# Objects and arrays come back as text in which these are not escaped again.
_LOST_ESCAPE: Final = r"[\x00-\x1f\\]"
# Ever more columns cost more than reading their lines one by one.
_MOST_UNKNOWN: Final = 256
# Bounds the memory of structures that are never met again.
_MOST_STRUCTURES: Final = 4096

_NO_ROWS: Final = pl.DataFrame(schema={"at": pl.UInt32, schema.TIME_FIELD: pl.String})
_TO_CANONICAL: Final[dict[Kind, Callable[[str], str]]] = {
    "string": canonical,
    "nested": lambda text: canonical(parse_json(text)),
}


class BulkReader:
    """Reads the lines it is sure of, and keeps the keys it meets.

    Attributes:
        keys: Top-level keys of all lines whose structure vouches for them.
    """

    def __init__(self) -> None:
        """Start without any structure."""
        self.keys: set[str] = set()
        self._structures: dict[str, Structure | None] = {}
        self._unknown: set[str] = set()

    def read(self, lines: pl.Series) -> pl.DataFrame:
        """Return the rows of the lines (String) it is sure of.

        Returns:
            at (UInt32, ascending positions), and as text that converts to their lake values (String) the documented
            fields the lines have, always the time, and `extra` where a line has something for it.
        """
        texts = reduced(lines)
        distinct = texts.unique(maintain_order=True)
        structures = [self._structure(text) for text in distinct.to_list()]
        vouching = [number for number, structure in enumerate(structures) if structure is not None]
        numbers = pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)
        taken = pl.DataFrame({"structure": texts.replace_strict(distinct, numbers, return_dtype=pl.UInt32)})
        taken = taken.with_columns(line=lines).with_row_index("at").filter(pl.col("structure").is_in(vouching))
        return _rows(taken, structures)

    def _structure(self, text: str) -> Structure | None:
        if text not in self._structures:
            if len(self._structures) == _MOST_STRUCTURES:
                self._structures.clear()
            self._structures[text] = self._learned(structure_of(text))
        return self._structures[text]

    def _learned(self, structure: Structure | None) -> Structure | None:
        if structure is None or len(self._unknown | structure.unknown.keys()) > _MOST_UNKNOWN:
            return None
        self._unknown |= structure.unknown.keys()
        self.keys |= structure.keys
        return structure


def _rows(taken: pl.DataFrame, structures: list[Structure | None]) -> pl.DataFrame:
    """Parse lines, each with the number of its structure."""
    vouching = [structure for structure in structures if structure is not None]
    keys = sorted({schema.TIME_FIELD}.union(*(structure.keys for structure in vouching)))
    parsed = _parsed(taken["line"], keys)
    if parsed is None:
        return _NO_ROWS
    nested = frozenset[str]().union(*(structure.nested for structure in vouching))
    if nested:
        lost = pl.any_horizontal(pl.col(sorted(nested)).str.contains(_LOST_ESCAPE).fill_null(value=False))
        exact = ~parsed.select(lost).to_series()
        parsed, taken = parsed.filter(exact), taken.filter(exact)
    unknown = [key for key in keys if key not in schema.FIELD_BY_RAW]
    columns = [taken["at"], *parsed.drop(unknown).get_columns()]
    if unknown:
        columns.append(join_members({key: _json_texts(parsed[key], taken["structure"], structures) for key in unknown}))
    return pl.DataFrame(columns)


def _parsed(lines: pl.Series, keys: list[str]) -> pl.DataFrame | None:
    """Return the values of these keys as text; None where the parser does not take the lines.

    One line may spoil all. The judge of each is the strict reader anyway, so this costs time only.
    """
    try:
        parsed = pl.read_ndjson(_joined(lines), schema=dict.fromkeys(keys, pl.String()))
    except (PolarsError, PanicException):
        return None
    return parsed if parsed.height == len(lines) else None


def _joined(lines: pl.Series) -> bytes:
    joined: bytes = lines.str.join("\n").cast(pl.Binary).item()
    return joined


def _json_texts(texts: pl.Series, structure: pl.Series, structures: list[Structure | None]) -> pl.Series:
    """Return the values of an unknown key as canonical JSON text; integers and booleans are that as they came."""
    key = texts.name
    kinds = [None if found is None else found.unknown.get(key) for found in structures]
    for kind, to_canonical in _TO_CANONICAL.items():
        of_kind = pl.Series([other == kind for other in kinds], dtype=pl.Boolean).gather(structure).arg_true()
        if len(of_kind):
            values = Dictionary.of(as_dictionary(texts.gather(of_kind)))
            texts = texts.scatter(of_kind, values.spread(values.map(to_canonical, pl.String())))
    return texts
