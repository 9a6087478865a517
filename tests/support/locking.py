"""A bucket in moto that is locked, with what S3 does about retention and moto does not."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from botocore.exceptions import ClientError
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from data_protection.handlers import (
    begin_lock,
    configure_bucket,
    decide_approval,
    list_versions,
    lock_shard,
    reconcile_lock,
    simulate_lock,
    survey_shard,
)
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

ACCOUNT: Final = "000000000000"
REGION: Final = "eu-central-1"
EVIDENCE, REMEDIATIONS = "evidence", "remediations"
BUCKET = "recordings"
ALICE, BOB, CAROL = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "bob", "carol"))
_ENVIRONMENT = {
    "EVIDENCE_BUCKET": EVIDENCE,
    "REMEDIATIONS_TABLE": REMEDIATIONS,
    "REQUESTS_PER_SECOND": "100000",
}
Row = dict[str, Any]


@dataclass
class Retentions:
    """What S3 answers about retention, and refuses (Amazon S3 user guide, "Locking objects with Object Lock").

    Attributes:
        denied: Keys of which nobody may set the retention.
        sets: Each retention that was set, by key and version.
        before: Called before each is set.
    """

    denied: set[str] = field(default_factory=set)
    sets: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str], None] = lambda _key: None

    def register(self, events: Any) -> None:
        events.register("before-call.s3.GetObjectRetention", self._get)
        events.register("before-call.s3.PutObjectRetention", self._put)
        events.register("before-call.s3.GetObjectLegalHold", self._held)
        events.register("before-call.s3.PutObjectLockConfiguration", self._configure)

    def of(self, key: str, version: str, bucket: str = BUCKET) -> tuple[str, datetime] | None:
        """Return mode and end of a version's retention."""
        kept = _version(bucket, key, version)
        return None if not kept.lock_mode else (kept.lock_mode, datetime.fromisoformat(kept.lock_until))

    def _get(self, params: Row, **_: Any) -> Any:
        bucket, key, version = _place(params)
        kept = _version(bucket, key, version)
        if not kept.lock_mode:
            raise refusal("NoSuchObjectLockConfiguration", 404)
        until = datetime.fromisoformat(kept.lock_until)
        return answered({"Retention": {"Mode": kept.lock_mode, "RetainUntilDate": until}})

    def _put(self, params: Row, **_: Any) -> Any:
        bucket, key, version = _place(params)
        self.before(key)
        kept = _version(bucket, key, version)
        asked = _asked(params)
        mode, until = asked["Retention"]["Mode"], asked["Retention"]["RetainUntilDate"]
        if key in self.denied:
            raise refusal("AccessDenied", 403)
        if until <= datetime.now(UTC):
            raise refusal("InvalidArgument", 400)
        if kept.lock_mode and datetime.fromisoformat(kept.lock_until) > datetime.now(UTC):
            is_weaker = until < datetime.fromisoformat(kept.lock_until) or mode != kept.lock_mode
            if is_weaker and not (asked.get("BypassGovernanceRetention") and kept.lock_mode == "GOVERNANCE"):
                raise refusal("AccessDenied", 403)
        kept.lock_mode, kept.lock_until = mode, until.isoformat().replace("+00:00", "Z")
        self.sets.append((key, version))
        return answered({})

    def _held(self, params: Row, **_: Any) -> Any:
        kept = _version(*_place(params))
        return answered({"LegalHold": {"Status": kept.lock_legal_status or "OFF"}})

    def _configure(self, params: Row, **_: Any) -> Any:
        """S3 takes a configuration of a bucket that holds objects, unlike moto."""
        bucket = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(_asked(params)["Bucket"])
        if bucket.versioning_status != "Enabled":
            raise refusal("InvalidBucketState", 409)
        default = _asked(params)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        bucket.object_lock_enabled = True
        bucket.default_lock_mode = default["Mode"]
        bucket.default_lock_days, bucket.default_lock_years = default.get("Days", 0), default.get("Years", 0)
        return answered({})


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutObjectRetention",
    )


def _place(params: Row) -> tuple[str, str, str]:
    asked = _asked(params)
    return asked["Bucket"], asked["Key"], asked["VersionId"]


def _asked(params: Row) -> Row:
    """Return a call's parameters, as botocore keeps them to follow a bucket into another region."""
    return dict(params["context"]["s3_redirect"]["params"])


def _version(bucket: str, key: str, version: str) -> Any:
    kept = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].get_object(bucket, key, version_id=version)
    if kept is None:
        raise refusal("NoSuchVersion", 404)
    return kept


def answered(parsed: Row) -> Any:
    return SimpleNamespace(status_code=200), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "r"}}


@contextmanager
def locking() -> Iterator[Retentions]:
    """Give, inside of `account()`, what locks need, and the bucket without versioning or Object Lock."""
    with patch.dict("os.environ", _ENVIRONMENT):
        load.cache_clear()
        # What a test registers with a client is of that test alone.
        aws.client.cache_clear()
        for bucket in (EVIDENCE, BUCKET):
            aws.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        aws.dynamodb().create_table(
            TableName=REMEDIATIONS,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("plan", "entry")],
            KeySchema=[{"AttributeName": "plan", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
        )
        retentions = Retentions()
        retentions.register(aws.client(aws.session(), "s3", REGION).meta.events)
        yield retentions


def call(handler: Callable[..., Any], event: Mapping[str, Any]) -> Any:
    return handler(dict(event), Context())


def begin(**asked: Any) -> Row:
    """Begin a run, now, and return its job."""
    begun = begun_at(**asked)
    assert begun["opens"] == "", begun["opens"]
    return dict(begun["job"])


def begun_at(**asked: Any) -> Row:
    """Return how a run begins now, or when it may."""
    given = {"run": "run-1", "time": datetime.now(UTC).isoformat(), "requested_by": ALICE, **asked}
    if "apply" not in asked:
        given = {"bucket": BUCKET, "days": 400, **given}
    return dict(call(begin_lock.handler, given))


def simulate(**asked: Any) -> Row:
    """Do as the machine does: simulate a lock, and return what came of it."""
    job = begin(**asked)
    for item in listed(job, "present"):
        call(survey_shard.handler, {"job": job, "part": "present", "shard": item})
    return dict(call(simulate_lock.handler, {"job": job}))


def approve(simulation: str, *who: str) -> None:
    """Let people approve a simulation, two who did not ask unless others are named."""
    for approver in who or (BOB, CAROL):
        said = {"plan": simulation, "approves": True}
        event = {"requestContext": {"authorizer": {"iam": {"userArn": approver}}}, "body": json.dumps(said)}
        answer = decide_approval.handler(event, Context())
        assert answer["statusCode"] == HTTPStatus.OK, answer["body"]


def apply(simulation: str, run: str = "run-2", between: Callable[[str], None] = lambda _state: None) -> Row:
    """Do as the machine does: apply a simulation, and return what came of it.

    Args:
        simulation: Hash.
        run: Name of the execution.
        between: Called with the name of each state before it is entered.
    """
    job = begin(run=run, apply=simulation)
    between("ConfigureBucket")
    while not call(configure_bucket.handler, {"job": job})["done"]:
        pass
    for part in ("present", "later"):
        between(f"ListVersions/{part}")
        for item in listed(job, part):
            between(f"LockShard/{part}")
            call(lock_shard.handler, {"job": job, "part": part, "shard": item})
    between("ReconcileLock")
    return dict(call(reconcile_lock.handler, {"job": job}))


def listed(job: Row, part: str) -> list[Row]:
    """List a part, and return its shards as the Map reads them."""
    while not (found := call(list_versions.handler, {"job": job, "part": part}))["done"]:
        pass
    body = aws.s3().get_object(Bucket=LAKE, Key=found["items"])["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def write(*keys: str, size: int = 10) -> dict[str, str]:
    """Write objects, and return their versions."""
    return {key: aws.s3().put_object(Bucket=BUCKET, Key=key, Body=b"x" * size).get("VersionId", "null") for key in keys}


def days_left(until: datetime) -> int:
    return round((until - datetime.now(UTC)) / timedelta(days=1))
