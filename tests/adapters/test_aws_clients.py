"""Clients are made once, and no two at a time: sessions are not for several threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from kernel import aws


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return boto3.Session()


def test_threads_that_ask_at_once_share_one_client_of_each_kind(session: boto3.Session) -> None:
    made: list[str] = []
    together: list[int] = []
    under_way, lock, make = [0], threading.Lock(), boto3.Session.client

    def slowly(self: boto3.Session, service: str, **given: Any) -> Any:
        with lock:
            under_way[0] += 1
            together.append(under_way[0])
            made.append(service)
        time.sleep(0.01)
        try:
            return make(self, service, **given)  # type: ignore[call-overload]
        finally:
            with lock:
                under_way[0] -= 1

    barrier = threading.Barrier(8)

    def ask(number: int) -> Any:
        barrier.wait(5)
        return aws.client(session, ("dynamodb", "sns")[number % 2], "eu-central-1")

    with patch.object(boto3.Session, "client", slowly), ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(ask, range(8)))

    assert sorted(made) == ["dynamodb", "sns"]
    assert set(together) == {1}
    assert len(set(map(id, clients))) == 2
