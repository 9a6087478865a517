"""AWS clients: one of each kind a process, made on first use."""

from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from kernel import metering

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

# Threads of one function share a client; the pool is as wide as the widest fan-out of an adapter.
POOL_SIZE = 32

# "standard" retries throttling, 5xx and connection faults with full jitter; the state machine retries what is left.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=POOL_SIZE,
)

Client = TypeVar("Client", bound="BaseClient")


@cache
def s3() -> "S3Client":
    """Return the S3 client."""
    return _counted(boto3.client("s3", config=_CONFIG))


@cache
def s3_in_role(role_arn: str, external_id: str, session_name: str, policy: str) -> "S3Client":
    """Return an S3 client that acts in a role, which is assumed now and again before its credentials run out.

    Args:
        role_arn: The role.
        external_id: What its trust policy asks for.
        session_name: What the role's account sees as the caller.
        policy: JSON; of what the role may do the client may only do this.

    Raises:
        ClientError: STS does not give credentials. Nothing is kept of that: the next call asks again.
    """
    own = botocore.session.get_session()
    fetcher = AssumeRoleCredentialFetcher(
        partial(own.create_client, config=_CONFIG),
        own.get_credentials(),
        role_arn,
        extra_args={"ExternalId": external_id, "RoleSessionName": session_name, "Policy": policy},
    )
    credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, _RoleProvider.METHOD)
    credentials.get_frozen_credentials()
    acting = botocore.session.get_session()
    acting.register_component("credential_provider", CredentialResolver([_RoleProvider(credentials)]))
    return _counted(boto3.Session(botocore_session=acting).client("s3", config=_CONFIG))


class _RoleProvider(CredentialProvider):
    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client."""
    return _counted(boto3.client("dynamodb", config=_CONFIG))


@cache
def events() -> "EventBridgeClient":
    """Return the EventBridge client."""
    return _counted(boto3.client("events", config=_CONFIG))


@cache
def ssm() -> "SSMClient":
    """Return the Systems Manager client."""
    return _counted(boto3.client("ssm", config=_CONFIG))


@cache
def states() -> "SFNClient":
    """Return the Step Functions client."""
    return _counted(boto3.client("stepfunctions", config=_CONFIG))


def _counted(client: Client) -> Client:
    metering.count_requests_of(client.meta.events)
    return client
