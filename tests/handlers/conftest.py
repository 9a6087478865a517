from collections.abc import Iterator

import pytest

from tests.support.aws import account


@pytest.fixture(autouse=True)
def aws_account() -> Iterator[None]:
    with account():
        yield
