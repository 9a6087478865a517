"""Clients: one of each kind, and of many accounts only those that were used last."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.hooks import HierarchicalEmitter
from moto import mock_aws

from kernel import aws

REGION = "eu-central-1"


class _Client:
    def __init__(self) -> None:
        self.meta = SimpleNamespace(events=HierarchicalEmitter())


class _Session:
    """One whose clients cost nothing."""

    def client(self, _service: str, **_: Any) -> _Client:
        return _Client()


def session() -> boto3.Session:
    return cast("boto3.Session", _Session())


@pytest.fixture(autouse=True)
def _forget() -> Any:
    yield
    aws.client.cache_clear()
    aws.session_in_role.cache_clear()


def test_a_client_is_made_once() -> None:
    acting = session()

    assert aws.client(acting, "s3", REGION) is aws.client(acting, "s3", REGION)
    assert aws.client(acting, "s3", REGION) is not aws.client(acting, "s3", "eu-west-1")


def test_of_hundreds_of_accounts_only_the_clients_that_were_used_last_are_kept() -> None:
    own = session()
    first, accounts = aws.client(own, "s3", REGION), [session() for _ in range(3 * aws.CLIENTS_KEPT)]
    forgotten = weakref.ref(accounts[0])
    made = []
    for acting in accounts:
        made.append(weakref.ref(aws.client(acting, "s3", REGION)))
        assert aws.client(own, "s3", REGION) is first, "what is used again and again is kept"
    del accounts, acting
    gc.collect()

    assert forgotten() is None
    assert sum(one() is not None for one in made) == aws.CLIENTS_KEPT - 1


def test_of_hundreds_of_roles_only_the_sessions_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        for number in range(aws.SESSIONS_KEPT + 3):
            aws.session_in_role(f"arn:aws:iam::{number:012d}:role/gatehouse", "external", "session")

    assert aws.session_in_role.cache_info().currsize == aws.SESSIONS_KEPT
