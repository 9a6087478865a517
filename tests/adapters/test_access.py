import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.credentials
import pytest
from botocore.exceptions import ClientError
from moto.sts.models import sts_backends

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.contracts import ObjectRef
from firewall_logs.errors import SourceUnreadable
from kernel import aws
from tests.support.aws import RAW, sources
from tests.support.firewall import FEEDS

ACCOUNT, AWAY = "222222222222", "raw-media"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gatehouse-source-media"
ACCESS = {"role_arn": ROLE, "external_id": "gatehouse-4711"}


def _clients() -> SourceClients:
    own, media = json.loads(FEEDS)
    return sources(json.dumps([own, {**media, "bucket": AWAY, "access": ACCESS}]))


def _assumed() -> list[Any]:
    """Return the sessions that STS was asked for."""
    return list(sts_backends[ACCOUNT]["aws"].assumed_roles)


def _refusing(code: str, asked: list[str]) -> Any:
    def refuse(role_arn: str, *_: str) -> None:
        asked.append(role_arn)
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "AssumeRole")

    return refuse


def test_objects_of_a_feed_without_access_are_read_by_the_function_itself() -> None:
    clients = _clients()
    assert clients.of(RAW, "cloudflare/2.ford/a.gz") is aws.s3()
    assert clients.of(RAW, "nobody's") is aws.s3()
    assert _assumed() == []


def test_objects_of_a_feed_with_access_are_read_by_its_role() -> None:
    clients = _clients()
    away = clients.of(AWAY, "cloudflare/47/a.parquet")
    assert away is not aws.s3()
    away.create_bucket(Bucket=AWAY, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    away.put_object(Bucket=AWAY, Key="cloudflare/47/a.parquet", Body=b"12345")
    source = SourceCatalogue(clients).describe(ObjectRef(bucket=AWAY, key="cloudflare/47/a.parquet"))
    assert source is not None
    assert source.size == 5
    [session] = _assumed()
    assert (session.role_arn, session.external_id) == (ROLE, ACCESS["external_id"])
    assert session.session_name == "gatehouse-test@47"
    assert "arn:aws:s3:::raw-media/cloudflare/47/*" in session.policy


def test_role_is_assumed_once_a_process() -> None:
    clients = _clients()
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda n: clients.of(AWAY, f"cloudflare/47/{n}"), range(32)))
    assert found == {_clients().of(AWAY, "cloudflare/47/later")}
    assert len(_assumed()) == 1


def test_session_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = _clients().of(AWAY, "cloudflare/47/a")
    client.list_buckets()
    assert len(_assumed()) == 1
    later = datetime.now(UTC) + timedelta(minutes=50)
    monkeypatch.setattr(botocore.credentials, "_local_now", lambda: later)
    monkeypatch.setattr(client._request_signer._credentials, "_time_fetcher", lambda: later)
    client.list_buckets()
    assert len(_assumed()) == 2


def test_role_that_is_refused_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(aws, "s3_in_role", _refusing("AccessDenied", asked))
    clients = _clients()
    for number in range(3):
        with pytest.raises(SourceUnreadable, match=r"Feed '47' cannot be read: STS refuses the role arn:aws:iam::222"):
            clients.of(AWAY, f"cloudflare/47/{number}")
    assert asked == [ROLE]


def test_refusal_does_not_show_the_external_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "s3_in_role", _refusing("AccessDenied", []))
    with pytest.raises(SourceUnreadable) as refused:
        _clients().of(AWAY, "cloudflare/47/a")
    assert ACCESS["external_id"] not in str(refused.value)


def test_sts_that_is_busy_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(aws, "s3_in_role", _refusing("Throttling", asked))
    clients = _clients()
    for _ in range(2):
        with pytest.raises(ClientError, match="Throttling"):
            clients.of(AWAY, "cloudflare/47/a")
    assert asked == [ROLE, ROLE]


def test_credentials_of_the_role_do_not_become_those_of_the_process() -> None:
    _clients().of(AWAY, "cloudflare/47/a")
    assert boto3.client("sts").get_caller_identity()["Account"] != ACCOUNT
