"""Clients of an embedded cloud."""

import json
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
from botocore.config import Config

# MiniStack takes an access key of twelve digits as the account.
ACCOUNT = "000000000000"
REGION = "eu-central-1"
_HTTP_SECONDS = 10


def credentials(account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
    """Return the environment variables of a program that talks to an embedded cloud, without its endpoint."""
    return {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(
    service: str, endpoint: str, *, account: str = ACCOUNT, region: str = REGION, session: boto3.Session | None = None
) -> Any:
    """Return a boto3 client of a service that never looks at the developer's own AWS settings, but for a session."""
    session = session or boto3.Session(
        aws_access_key_id=account,
        aws_secret_access_key="local",  # noqa: S106 - means nothing
    )
    made = session.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint,
        # StartSyncExecution would be sent to "sync-127.0.0.1".
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 2}, max_pool_connections=32),
    )
    # S3 Control puts the account before any endpoint.
    made.meta.events.register("before-sign.s3-control", partial(_without_account, endpoint))
    return made


def _without_account(endpoint: str, request: Any, **_: Any) -> None:
    parts = urlsplit(request.url)
    request.url = urlunsplit((*urlsplit(endpoint)[:2], *parts[2:]))


def get_json(url: str) -> dict[str, Any]:
    """Return a document of the server's own API.

    Raises:
        OSError: Nobody answers.
    """
    with urllib.request.urlopen(url, timeout=_HTTP_SECONDS) as answer:  # noqa: S310 - loopback
        document: dict[str, Any] = json.load(answer)
    return document


def post(url: str) -> None:
    """Call the server's own API.

    Raises:
        OSError: Nobody answers.
    """
    request = urllib.request.Request(url, method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=_HTTP_SECONDS):  # noqa: S310 - loopback
        pass
