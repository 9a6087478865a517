"""An account in moto that is watched, with CloudTrail's events made by hand: moto makes none."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from data_protection.handlers import fix_drift, recheck_resource, sweep_drift
from data_protection.locations import ESTATE_KEY
from kernel import aws
from kernel.settings import load
from tests.support.aws import BUS, LAKE, account
from tests.support.context import Context
from tests.support.data_protection_moto import say_where_buckets_are

ACCOUNT, REGION = "123456789012", "eu-central-1"
FINDINGS, REMEDIATIONS, EVIDENCE = "findings", "remediations", "evidence"
OUR_ROLE = f"arn:aws:iam::{ACCOUNT}:role/gatehouse-fix-drift"
USER: Mapping[str, Any] = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice", "userName": "alice"}
ROOT: Mapping[str, Any] = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}
CONTEXT = Context(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gatehouse-test")
_KEYS = {FINDINGS: ("place", "entry"), REMEDIATIONS: ("plan", "entry")}


def role(arn: str) -> dict[str, Any]:
    """Return the identity of somebody who acts in a role."""
    name = arn.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}},
    }


def event(
    source: str,
    name: str,
    parameters: Mapping[str, Any],
    *,
    by: Mapping[str, Any] = USER,
    at: datetime | None = None,
    **detail: Any,
) -> dict[str, Any]:
    """Return an event of CloudTrail as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": ACCOUNT,
        "region": REGION,
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": dict(by),
            "eventTime": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "requestParameters": dict(parameters),
            "responseElements": None,
            "requestID": "b25f48e8-84fd-11e6-80d9-574e0c664cb2",
            "eventID": f"event-of-{name}",
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        | detail,
    }


def batch(bodies: Sequence[Any]) -> dict[str, Any]:
    """Return an SQS batch of messages."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue",
                "awsRegion": REGION,
            }
            for number, body in enumerate(bodies)
        ]
    }


@dataclass
class Watched:
    """An account in moto whose drift is watched.

    Attributes:
        fix_queue: URL of the queue of fixes.
        published: URL of a queue that hears what is published on the bus.
    """

    fix_queue: str
    published: str

    @property
    def tables(self) -> Any:
        return aws.dynamodb()

    def profile(self, rules: Sequence[Mapping[str, Any]], **others: Any) -> None:
        """Let the account be judged by these rules."""
        body = json.dumps({"name": "rfc-008", "rules": list(rules), **others}).encode()
        aws.s3().put_object(Bucket=LAKE, Key="data_protection/profiles/rfc-008.yaml", Body=body)

    def estate(self, estate: Mapping[str, Any]) -> None:
        """Let this be the estate."""
        aws.s3().put_object(Bucket=LAKE, Key=ESTATE_KEY, Body=json.dumps(estate).encode())

    def table(self, name: str, *, recoverable: bool = True) -> None:
        self.tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.recovery(name, on=recoverable)

    def recovery(self, table: str, *, on: bool) -> None:
        """Turn point-in-time recovery of a table on or off."""
        self.tables.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )

    def is_recoverable(self, table: str) -> bool:
        answer = self.tables.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        return bool(answer["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")

    def recheck(self, *events: Any) -> list[str]:
        """Hand events to RecheckResource, and return the ids of messages that come again."""
        answer = recheck_resource.handler(batch(events), CONTEXT)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def sweep(self, run: str = "sweep-1") -> list[str]:
        place = {"account": ACCOUNT, "region": REGION}
        answer = sweep_drift.handler(batch([{"run": run, "place": place}]), CONTEXT)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def fix(self) -> int:
        """Hand what is in the queue of fixes to FixDrift once, and return how many messages were worked off."""
        done = 0
        messages = aws.sqs().receive_message(
            QueueUrl=self.fix_queue, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
        )
        for message in messages.get("Messages", []):
            asked = batch([message["Body"]])
            received = {"receiptHandle": message["ReceiptHandle"], "attributes": message["Attributes"]}
            asked["Records"] = [one | received for one in asked["Records"]]
            if fix_drift.handler(asked, CONTEXT)["batchItemFailures"]:
                # The pause is over at once.
                aws.sqs().change_message_visibility(
                    QueueUrl=self.fix_queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
            else:
                aws.sqs().delete_message(QueueUrl=self.fix_queue, ReceiptHandle=message["ReceiptHandle"])
                done += 1
        return done

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was published since the last time, as names and details."""
        events = [json.loads(body) for body in _taken(self.published)]
        return [(one["detail-type"].removeprefix("data_protection."), one["detail"]) for one in events]

    def statuses(self) -> dict[tuple[str, str], str]:
        """Return how each check on each resource stands, by its id and the end of the ARN."""
        return {
            (item["check"]["S"], item["arn"]["S"].rpartition("/")[2]): item["status"]["S"]
            for item in self._items("finding#")
        }

    def open_drifts(self) -> list[dict[str, Any]]:
        return [json.loads(item["drift"]["S"]) for item in self._items("drift#")]

    def _items(self, prefix: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.tables.scan(TableName=FINDINGS)["Items"]
        return [item for item in items if item["entry"]["S"].startswith(prefix)]


def _taken(queue: str) -> list[str]:
    bodies: list[str] = []
    while messages := aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            aws.sqs().delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bodies


@contextmanager
def watched() -> Iterator[Watched]:
    """Give an account that is watched, with nothing in it yet."""
    say_where_buckets_are()
    with account():
        for name, keys in _KEYS.items():
            aws.dynamodb().create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": keys[0], "KeyType": "HASH"},
                    {"AttributeName": keys[1], "KeyType": "RANGE"},
                ],
            )
        aws.s3().create_bucket(Bucket=EVIDENCE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        fixes = aws.sqs().create_queue(QueueName="fixes.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        heard = aws.sqs().create_queue(QueueName="heard")["QueueUrl"]
        arn = aws.sqs().get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": ["gatehouse.data_protection"]})
        aws.events().put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
        aws.events().put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "heard", "Arn": arn}])
        environment = {
            "FINDINGS_TABLE": FINDINGS,
            "REMEDIATIONS_TABLE": REMEDIATIONS,
            "EVIDENCE_BUCKET": EVIDENCE,
            "FIX_QUEUE_URL": fixes,
            "OWN_ROLE_ARNS": OUR_ROLE,
        }
        with patch.dict("os.environ", environment):
            load.cache_clear()
            yield Watched(fixes, heard)


def client(service: str) -> Any:
    """Return the client by which handlers look at the account; making one takes longer than most tests."""
    return aws.client(aws.session(), service, REGION)


@contextmanager
def hearing(service: str, event_name: str, heard: Callable[..., None]) -> Iterator[None]:
    """Let a function hear an event of botocore from the handlers' client."""
    events = client(service).meta.events
    events.register(event_name, heard)
    try:
        yield
    finally:
        events.unregister(event_name, heard)


def seconds_ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def evidence() -> list[dict[str, Any]]:
    """Return all records of evidence, in order of their keys."""
    listed = aws.s3().list_objects_v2(Bucket=EVIDENCE).get("Contents", [])
    return [json.loads(aws.s3().get_object(Bucket=EVIDENCE, Key=one["Key"])["Body"].read()) for one in listed]
