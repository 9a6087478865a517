"""The verdicts of a sealed day as a parquet file, so that figures can be followed over days with SQL."""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from firewall_logs.days.contracts import Verdict

# `event_date` is the partition (`locations.quality_key`).
SCHEMA: Final = pa.schema(
    [
        ("feed", pa.string()),
        ("rule", pa.string()),
        ("measure", pa.string()),
        ("level", pa.string()),
        ("figure", pa.float64()),
        ("limit", pa.float64()),
        ("detail", pa.string()),
        ("version", pa.int64()),
    ]
)


def quality_table(version: int, verdicts: Iterable[Verdict]) -> bytes:
    """Return the file: a row a verdict, by feed and rule; the same verdicts give the same bytes, in whatever order.

    Args:
        version: Of the day.
        verdicts: All of them.
    """
    ordered = sorted(verdicts, key=lambda verdict: (verdict.feed, verdict.rule))
    table = pa.Table.from_pylist([verdict.model_dump() | {"version": version} for verdict in ordered], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    # The Arrow schema in the footer would say nothing that parquet's own does not.
    pq.write_table(table, sink, compression="zstd", compression_level=1, store_schema=False)
    return bytes(sink.getvalue())
