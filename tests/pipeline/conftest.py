from collections.abc import Iterator

import pytest

from tests.support import raw
from tests.support.pipeline import Pipeline
from tests.support.seal import EVENTS


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone() as made:
        yield made


@pytest.fixture(scope="module")
def refs(pipeline: Pipeline) -> list[dict[str, str]]:
    """Return objects of one day, in two formats, of which two share events."""
    return [
        pipeline.put_lines("cloudflare/2.ford/a.log.gz", EVENTS[:50]),
        pipeline.put_lines("cloudflare/2.ford/b.log.gz", EVENTS[40:70]),
        pipeline.put("cloudflare/47/c.parquet", raw.parquet(100)),
    ]


@pytest.fixture(scope="module")
def late(pipeline: Pipeline) -> list[dict[str, str]]:
    """Return an object of the same day, with events that others have as well."""
    return [pipeline.put_lines("cloudflare/2.ford/late.log.gz", EVENTS[60:])]
