"""AWS clients: one of each kind a process, made on first use."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache, partial
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, TypeVarTuple

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
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

# Threads of one function share a client; the pool is as wide as the widest fan-out of an adapter.
POOL_SIZE = 32

# A function that goes through hundreds of accounts keeps what it used last: a client takes some MB. One account takes a
# client for each service that is read, and those of buckets for each of its regions besides.
SESSIONS_KEPT = 32
CLIENTS_KEPT = 128

# "standard" retries throttling, 5xx and connection faults with full jitter; the state machine retries what is left.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=POOL_SIZE,
)

Client = TypeVar("Client", bound="BaseClient")
Asked = TypeVarTuple("Asked")


class _Alone(Generic[*Asked, Client]):
    """Keeps the clients that a function made of its arguments and that were used last, and has no two made at a time.

    One that is given up while it is in use goes on to work.

    Sessions must not be shared by threads, clients may be:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
    """

    _making: ClassVar = Lock()

    def __init__(self, make: Callable[[*Asked], Client]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[*Asked], Client] = OrderedDict()
        self.cache_clear = self._kept.clear

    def __call__(self, *asked: *Asked) -> Client:
        found = self._kept.get(asked)
        if found is None:
            with self._making:
                found = self._kept.get(asked) or self._make(*asked)
                self._kept[asked] = found
                if len(self._kept) > CLIENTS_KEPT:
                    self._kept.popitem(last=False)
        with suppress(KeyError):  # another thread may just have given it up
            self._kept.move_to_end(asked)
        return found


@cache
def s3() -> "S3Client":
    """Return the S3 client."""
    return _counted(boto3.client("s3", config=_CONFIG))


@lru_cache(SESSIONS_KEPT)
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
    extra = {"ExternalId": external_id, "RoleSessionName": session_name, "Policy": policy}
    return _counted(_acting(role_arn, extra).client("s3", config=_CONFIG))


@cache
def session() -> boto3.Session:
    """Return the session of the function itself."""
    return boto3.Session()


@lru_cache(SESSIONS_KEPT)
def session_in_role(role_arn: str, external_id: str, session_name: str) -> boto3.Session:
    """Return a session that acts in a role; as `s3_in_role`, without narrowing it."""
    return _acting(role_arn, {"ExternalId": external_id, "RoleSessionName": session_name})


@_Alone
def rds(acting: boto3.Session, region: str) -> "RDSClient":
    """Return the RDS client of a session in a region.

    It asks once: how often an account may ask is for the caller to share out, who must see and pay each attempt.
    """
    config = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    return _counted(acting.client("rds", region_name=region, config=config))


@_Alone
def client(acting: boto3.Session, service: str, region: str) -> "BaseClient":
    """Return the client of any service, of a session in a region."""
    # One client of a kind takes 10 to 100 ms of CPU to make.
    made: BaseClient = acting.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]
    return _counted(made)


def _acting(role_arn: str, extra: dict[str, str]) -> boto3.Session:
    own = botocore.session.get_session()
    fetcher = AssumeRoleCredentialFetcher(
        partial(own.create_client, config=_CONFIG), own.get_credentials(), role_arn, extra_args=extra
    )
    credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, _RoleProvider.METHOD)
    credentials.get_frozen_credentials()
    acting = botocore.session.get_session()
    acting.register_component("credential_provider", CredentialResolver([_RoleProvider(credentials)]))
    return boto3.Session(botocore_session=acting)


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
def secrets() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return _counted(boto3.client("secretsmanager", config=_CONFIG))


@cache
def sqs() -> "SQSClient":
    """Return the SQS client."""
    return _counted(boto3.client("sqs", config=_CONFIG))


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
