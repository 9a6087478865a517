"""Records of the lake as documents of a search engine, redacted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from database_logs.redaction import redacted

# Rows that are JSON at a time.
_SLAB: Final = 20_000
# A member without value. No text of a record looks like one: a quote within it is escaped, and one that ends it is not
# followed by a name. The first member is event_id, which is never null.
_NULL: Final = r',"[a-z_]+":null'


@dataclass(frozen=True)
class Document:
    """A record as search may have it.

    Attributes:
        event_id: Its identity, the same in the lake.
        time: Microseconds since 1970: its own time, else that of the record before it, else of the next one with a
            time; None where no record of the file has one.
        json: What is known of it as an object; what is null is left out.
    """

    event_id: str
    time: int | None
    json: str


def documents(records: pl.DataFrame, skip: int = 0) -> Iterator[Document]:
    """Yield the records of a file of the lake in its order, without literals and secrets.

    Args:
        records: Of one kind of log, in the order of their file.
        skip: How many records to leave out from the beginning.
    """
    time = pl.col("event_time").forward_fill().backward_fill().dt.timestamp("us")
    times = records.select(time).to_series()
    instants = pl.selectors.datetime()
    for start in range(skip, records.height, _SLAB):
        # Redacted a slab at a time: what is skipped costs nothing.
        slab = redacted(records.slice(start, _SLAB)).with_columns(instants.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"))
        # Bytes, which are withheld, have no form in JSON.
        members = pl.struct("event_id", pl.all().exclude("event_id", "raw_bytes"))
        texts = slab.select(members.struct.json_encode().str.replace_all(_NULL, "")).to_series()
        yield from map(Document, slab["event_id"], times.slice(start, _SLAB), texts)
