import shutil
import uuid
from collections.abc import Iterator

import pytest

from local.supervisor import EmbeddedCloud
from tests.support.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    cloud = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}")
    try:
        with Pipeline(cloud) as made:
            yield made
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)
