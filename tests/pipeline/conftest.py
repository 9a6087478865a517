from collections.abc import Iterator

import pytest

from tests.support.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone() as made:
        yield made
