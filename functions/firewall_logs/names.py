"""Names that the source chooses (keys, columns, values) in documents of ours, which do not grow with them.

The first by alphabet are kept, the others counted. What is among the first of a sum is among the first of each of its
parts that has it: so the rows of a name that is kept are exact, however many slices were added up, in any order.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Final

from firewall_logs import schema
from firewall_logs.contracts import Drift, Omitted

MOST_NAMES: Final = 1_000
LONGEST_NAME: Final = 128
_DIGEST: Final = 8


def add_up(drifts: Iterable[Drift]) -> Drift:
    """Return the drift of all slices together; of one, that drift within bounds."""
    parts = list(drifts)
    columns, columns_omitted = bounded((p.columns for p in parts), (p.columns_omitted for p in parts))
    fields = sorted({field for part in parts for field in part.values})
    values = {
        field: bounded(
            (part.values.get(field, {}) for part in parts),
            (part.values_omitted.get(field, Omitted()) for part in parts),
        )
        for field in fields
    }
    return Drift(
        columns=columns,
        columns_omitted=columns_omitted,
        values={field: kept for field, (kept, _) in values.items()},
        values_omitted={field: omitted for field, (_, omitted) in values.items() if omitted.names},
        time_forms=add_counts(part.time_forms for part in parts),
    )


def first_columns(columns: Iterable[str]) -> tuple[list[str], int]:
    """Return the columns in order, all documented ones and the first of the others, and how many are left out."""
    names = {_shortened(column) for column in columns}
    others = sorted(names - schema.FIELD_BY_RAW.keys())
    left_out = others[MOST_NAMES:]
    return sorted(names.difference(left_out)), len(left_out)


def add_counts(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the sums by name, in order."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def bounded(counts: Iterable[dict[str, int]], omitted: Iterable[Omitted]) -> tuple[dict[str, int], Omitted]:
    """Return the sums by name, in order and within bounds, and what is left out now or was before."""
    total: Counter[str] = Counter()
    for count in counts:
        for name, rows in count.items():
            total[_shortened(name)] += rows
    before = list(omitted)
    ordered = sorted(total)
    left_out = ordered[MOST_NAMES:]
    return {name: total[name] for name in ordered[:MOST_NAMES]}, Omitted(
        names=len(left_out) + sum(part.names for part in before),
        rows=sum(total[name] for name in left_out) + sum(part.rows for part in before),
    )


def _shortened(name: str) -> str:
    """Cut a long name; the digest at its end keeps apart what begins alike."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: LONGEST_NAME - _DIGEST - 1]}…{digest}"
