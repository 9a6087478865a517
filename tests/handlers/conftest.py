import os
from collections.abc import Iterator

import pytest

from tests.support.aws import ENVIRONMENT, account

# Powertools reads its variables when the handlers are imported, which is when tests are collected.
os.environ.update({name: value for name, value in ENVIRONMENT.items() if name.startswith("POWERTOOLS_")})


@pytest.fixture(autouse=True)
def aws_account() -> Iterator[None]:
    with account():
        yield
