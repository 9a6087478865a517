"""The body of a bulk request: a line that says what to do, and a line with the document."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from database_logs.search.documents import Document
from database_logs.search.sinks import Sink

# OpenObserve takes 200 MB (ZO_PAYLOAD_LIMIT), Elasticsearch 100 MB (http.max_content_length); both advise to try from
# 5 MB on. What fails is sent again as a whole.
MOST_BYTES: Final = 5_000_000
MOST_DOCUMENTS: Final = 5_000
# As fast as copying; the fields' names make up most of a document.
_LEVEL: Final = 1


@dataclass(frozen=True)
class Entry:
    """A document on its way.

    Attributes:
        body: Its two lines.
        stream: Where it goes.
        time: Under which, microseconds since 1970.
        is_rerouted: It is late and goes to the stream for what is.
    """

    document: Document
    body: bytes
    stream: str
    time: int
    is_rerouted: bool = False


def entry(document: Document, stream: str, time: int, sink: Sink, *, is_rerouted: bool = False) -> Entry:
    """Return a document as a bulk request has it.

    `create` is the one action that data streams know, and that does not store a document a second time where ids are
    kept apart. `event_id` is in the document as well: OpenObserve keeps `_id` as a mere field.

    Args:
        document: What to store.
        stream: Index, data stream or stream.
        time: Microseconds since 1970.
        sink: Which has a field of its own for the time.
        is_rerouted: As in `Entry`.
    """
    # Neither name has a character that JSON would escape.
    action = f'{{"create":{{"_index":"{stream}","_id":"{document.event_id}"}}}}'
    whole = f"{document.json[:-1]},{json.dumps(sink.fields(time))[1:]}"
    return Entry(document, f"{action}\n{whole}\n".encode(), stream, time, is_rerouted)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries in their order, as many at a time as a request should have; one that is too large goes alone."""
    batch: list[Entry] = []
    size = 0
    for each in entries:
        if batch and (size + len(each.body) > MOST_BYTES or len(batch) == MOST_DOCUMENTS):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += len(each.body)
    if batch:
        yield batch


def packed(batch: Iterable[Entry]) -> bytes:
    """Return the body of a request, gzip."""
    return gzip.compress(b"".join(each.body for each in batch), _LEVEL, mtime=0)
