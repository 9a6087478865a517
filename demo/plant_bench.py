"""One large raw parquet file for the benchmark, made part by part so that it needs little memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from demo.corpus_chance import Chance, seeded
from demo.corpus_events import Burst, arrivals, columns, events
from demo.corpus_tables import build
from demo.generate import PARQUET_FIELDS
from demo.plant import PlantedObject
from demo.plant_parquet import Shape, plant

FEED: Final = "47"
ZONE: Final = "harbour.example"
_DAY: Final = date(2026, 6, 1)
_PART_ROWS: Final = 240_000
_ROW_GROUP: Final = 262_144
# five reasons, together a row in a thousand
_SHAPE: Final = Shape("unixnano", numbers_as_text=False, groups=1, new_columns=False, spoiled=0.0002)


@dataclass(frozen=True)
class BenchCounts:
    """What the transform of the file must count."""

    rows_in: int
    rows_out: int
    quarantined: int
    duplicates: int
    quarantined_by_reason: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """Return the counts under their names."""
        return asdict(self)


def generate_bench_file(path: Path, *, rows: int, seed: int = 47) -> BenchCounts:
    """Write a snappy parquet file of a little more than `rows` rows and 32 columns to `path`.

    A row in a thousand is bad and one in a hundred a duplicate of one not far before it.
    """
    chance = Chance(seed)
    corpus = build(ZONE, chance, seed, max(300, rows // 3))
    requests = arrivals(chance, rows, Burst(start=38 * 3600, seconds=3600, share=0.08))
    records: list[PlantedObject] = []

    def part(first: int) -> pl.DataFrame:
        frame = events(corpus, chance, requests[first : first + _PART_ROWS], first)
        shown = columns(corpus, frame, PARQUET_FIELDS).with_columns(ZoneName=pl.lit(ZONE))
        record = PlantedObject("", "", FEED, "parquet")
        records.append(record)
        random = seeded(seed, "bench", first)
        planted, _ = plant(record, shown, frame["time"], shape=_SHAPE, day=_DAY, random=random)
        return planted

    head = part(0)
    records.clear()

    def parts(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del with_columns, predicate, n_rows, batch_size  # a plain sink asks for everything
        for first in range(0, rows, _PART_ROWS):
            yield part(first)

    path.parent.mkdir(parents=True, exist_ok=True)
    lazy = register_io_source(parts, schema=head.schema)
    lazy.sink_parquet(path, compression="snappy", row_group_size=_ROW_GROUP)
    reasons: Counter[str] = Counter()
    for record in records:
        reasons.update(record.quarantined)
    return BenchCounts(
        rows_in=sum(record.rows_in for record in records),
        rows_out=sum(record.rows_out for record in records),
        quarantined=reasons.total(),
        duplicates=sum(record.duplicates for record in records),
        quarantined_by_reason=dict(sorted(reasons.items())),
    )
