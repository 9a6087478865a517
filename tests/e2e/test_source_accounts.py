"""A raw bucket of another account: its part deployed there from the real template, the lake's here, IAM enforced."""

import gzip
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.deploy import STACK
from local.endpoints import ACCOUNT
from local.paths import ROOT
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse, ended
from tests.support import raw
from tests.support.cloud import OTHER_ACCOUNT as SOURCE
from tests.support.cloud import SOURCE_BUCKET as BUCKET
from tests.support.cloud import SOURCE_ROLE as ROLE
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

PREFIX = "cloudflare/media/"
ROLE_ARN = f"arn:aws:iam::{SOURCE}:role/{ROLE}"
EXTERNAL_ID = "gatehouse-7f3a"
FEEDS = "/gatehouse/local/firewall_logs/feeds"
FEED = {
    "name": "media",
    "bucket": BUCKET,
    "prefix": PREFIX,
    "zone": "media.example",
    "format": "parquet",
    "access": {"role_arn": ROLE_ARN, "external_id": EXTERNAL_ID},
}


@dataclass(frozen=True)
class TwoAccounts(Gatehouse):
    """The lake in the default account, a raw bucket in another."""

    def there(self, service: str) -> Any:
        """Return a client of the source account."""
        return self.cloud.client(service, SOURCE)

    def put_there(self, key: str, body: bytes, **given: Any) -> dict[str, str]:
        version = self.there("s3").put_object(Bucket=BUCKET, Key=key, Body=body, **given)["VersionId"]
        return {"bucket": BUCKET, "key": key, "version_id": version}

    def is_committed(self, ref: dict[str, str]) -> bool:
        return any(item["state"] == "COMMITTED" for item in self.ledger(ref))

    @contextmanager
    def access(self, **access: str) -> Iterator[None]:
        """Yield while the feed names another role or external id."""
        ssm = self.client("ssm")
        before = ssm.get_parameter(Name=FEEDS)["Parameter"]["Value"]
        feeds = [
            {**feed, "access": feed["access"] | access} if feed["name"] == "media" else feed
            for feed in json.loads(before)
        ]
        ssm.put_parameter(Name=FEEDS, Value=json.dumps(feeds), Overwrite=True)
        try:
            yield
        finally:
            ssm.put_parameter(Name=FEEDS, Value=before, Overwrite=True)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Yield while new objects of the source account are told to nobody."""
        self.there("events").disable_rule(Name=ROLE)
        try:
            yield
        finally:
            self.there("events").enable_rule(Name=ROLE)

    def statuses(self, described: dict[str, Any]) -> list[tuple[str, str]]:
        plan = self.document(described, "plan.json")
        return [(planned["status"], planned["note"] or "") for planned in plan["objects"]]

    def everything_kept(self) -> str:
        """Return what the lake's account keeps in logs, documents and histories of executions."""
        logs, s3, states = self.client("logs"), self.client("s3"), self.client("stepfunctions")
        kept = [
            event["message"]
            for group in logs.describe_log_groups()["logGroups"]
            for event in logs.filter_log_events(logGroupName=group["logGroupName"], limit=10_000)["events"]
        ]
        runs = self.output("RunsBucketName")
        entries = s3.list_objects_v2(Bucket=runs).get("Contents", [])
        # Some of what other tests have kept there is packed, and anything but text.
        bodies = [s3.get_object(Bucket=runs, Key=entry["Key"])["Body"].read() for entry in entries]
        kept += [body.decode(errors="replace") for body in map(_unpacked, bodies)]
        for execution in states.list_executions(stateMachineArn=self.output("ProcessObjectsArn"))["executions"]:
            history = states.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
            kept.append(json.dumps(history["events"], default=str))
        return "\n".join(kept)


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


@pytest.fixture(scope="module")
def least_privilege() -> None:
    """Here roles are refused on purpose."""


@pytest.fixture(scope="module")
def _source(application: Gatehouse) -> Iterator[None]:
    """Give another account its part, and the lake a feed of it."""
    _deploy_source(application.cloud)
    ssm = application.client("ssm")
    before = ssm.get_parameter(Name=FEEDS)["Parameter"]["Value"]
    ssm.put_parameter(Name=FEEDS, Value=json.dumps([*json.loads(before), FEED]), Overwrite=True)
    yield
    ssm.put_parameter(Name=FEEDS, Value=before, Overwrite=True)


@pytest.fixture
def gatehouse(_source: None, gatehouse: Gatehouse) -> TwoAccounts:
    return TwoAccounts(gatehouse.cloud, gatehouse.deployment, since=gatehouse.since)


def _deploy_source(cloud: EmbeddedCloud) -> None:
    s3 = cloud.client("s3", SOURCE)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": cloud.state.region})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    parameters = {
        "LakeAccountId": ACCOUNT,
        "LakeStackName": STACK,
        "ExternalId": EXTERNAL_ID,
        "FeedName": "media",
        "BucketName": BUCKET,
        "Prefix": PREFIX,
        "LakeEventBusArn": f"arn:aws:events:{cloud.state.region}:{ACCOUNT}:event-bus/default",
    }
    stacks = cloud.client("cloudformation", SOURCE)
    stacks.create_stack(
        StackName=ROLE,
        TemplateBody=(ROOT / "stacks/source_account.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    made = eventually(lambda: ended(stacks, ROLE))
    assert {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]} == {"RoleArn": ROLE_ARN}


def test_object_put_into_another_accounts_bucket_is_in_the_lake_without_further_ado(
    gatehouse: TwoAccounts, tmp_path: Path
) -> None:
    ref = gatehouse.put_there(f"{PREFIX}triggered.parquet", raw.parquet(500))
    eventually(lambda: gatehouse.is_committed(ref))
    assert gatehouse.query(ref["key"], "count(*), min(zone), max(feed)", tmp_path) == [(500, "media.example", "media")]


def test_run_over_a_feed_of_another_account_commits_what_lies_below_it(gatehouse: TwoAccounts) -> None:
    with gatehouse.quiet():
        ref = gatehouse.put_there(f"{PREFIX}by-hand/a.parquet", raw.parquet(300))
        beside = gatehouse.put_events("beside", range(10))
        described = gatehouse.run(feed="media", prefix=f"{PREFIX}by-hand/")
    assert described["status"] == "SUCCEEDED", described
    assert gatehouse.is_committed(ref)
    eventually(lambda: gatehouse.is_committed(beside))


@pytest.mark.parametrize(
    "access",
    [{"external_id": "of-somebody-else"}, {"role_arn": f"arn:aws:iam::{SOURCE}:role/nobody"}],
    ids=["wrong external id", "no such role"],
)
def test_role_that_is_refused_fails_the_run_after_the_rest_is_committed(
    gatehouse: TwoAccounts, access: dict[str, str]
) -> None:
    with gatehouse.quiet(), gatehouse.untriggered(), gatehouse.access(**access):
        name = uuid.uuid4().hex
        away = gatehouse.put_there(f"{PREFIX}{name}.parquet", raw.parquet(10))
        here = gatehouse.put_events(name, range(10))
        described = gatehouse.run(objects=[away, here])
        listed = gatehouse.run(feed="media")
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert [status for status, _ in gatehouse.statuses(described)] == ["unreadable", "planned"]
    assert "Feed 'media' cannot be read: STS refuses the role" in gatehouse.statuses(described)[0][1]
    assert gatehouse.is_committed(here)
    assert (listed["status"], listed["error"]) == ("FAILED", "SourceUnreadable")
    assert "Feed 'media' cannot be read: STS refuses the role" in listed["cause"]


def test_role_without_permissions_is_named(gatehouse: TwoAccounts) -> None:
    iam = gatehouse.there("iam")
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="read")["PolicyDocument"]
    with gatehouse.quiet():
        ref = gatehouse.put_there(f"{PREFIX}refused.parquet", raw.parquet(10))
        iam.delete_role_policy(RoleName=ROLE, PolicyName="read")
        try:
            described, listed = gatehouse.run(objects=[ref]), gatehouse.run(feed="media")
        finally:
            iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(policy))
    assert gatehouse.statuses(described) == [("unreadable", f"S3 refuses it (403) to the role {ROLE_ARN}")]
    assert listed["error"] == "SourceUnreadable"
    assert f"Feed 'media' cannot be listed below s3://{BUCKET}/{PREFIX}" in listed["cause"]
    assert ROLE_ARN in listed["cause"]


def test_role_gives_nothing_beside_its_prefix(gatehouse: TwoAccounts) -> None:
    iam = gatehouse.there("iam")
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    wide = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    narrowed = {**FEED, "name": "narrow", "prefix": "cloudflare/narrow/"}
    with gatehouse.quiet():
        ref = gatehouse.put_there("cloudflare/narrow/in/a.parquet", raw.parquet(10))
        ssm = gatehouse.client("ssm")
        before = ssm.get_parameter(Name=FEEDS)["Parameter"]["Value"]
        ssm.put_parameter(Name=FEEDS, Value=json.dumps([*json.loads(before), narrowed]), Overwrite=True)
        try:
            refused = gatehouse.run(objects=[ref])
            iam.put_role_policy(RoleName=ROLE, PolicyName="wide", PolicyDocument=wide)
            allowed = gatehouse.run(objects=[ref])
        finally:
            iam.delete_role_policy(RoleName=ROLE, PolicyName="wide")
            ssm.put_parameter(Name=FEEDS, Value=before, Overwrite=True)
    assert [status for status, _ in gatehouse.statuses(refused)] == ["unreadable"]
    assert allowed["status"] == "SUCCEEDED"


def test_object_that_is_gone_and_one_that_is_archived_hold_up_nothing(gatehouse: TwoAccounts) -> None:
    with gatehouse.quiet():
        gone = gatehouse.put_there(f"{PREFIX}gone.parquet", raw.parquet(10))
        gatehouse.there("s3").delete_object(Bucket=BUCKET, Key=gone["key"], VersionId=gone["version_id"])
        cold = gatehouse.put_there(f"{PREFIX}cold.parquet", raw.parquet(10), StorageClass="GLACIER")
        there = gatehouse.put_there(f"{PREFIX}there.parquet", raw.parquet(10))
        described = gatehouse.run(objects=[gone, cold, there])
        gatehouse.there("s3").delete_object(Bucket=BUCKET, Key=cold["key"], VersionId=cold["version_id"])
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert gatehouse.statuses(described) == [
        ("missing", "it is not in its bucket any more"),
        ("unreadable", "it is archived (GLACIER) and not restored"),
        ("planned", ""),
    ]
    assert gatehouse.is_committed(there)


def test_external_id_is_kept_nowhere(gatehouse: TwoAccounts) -> None:
    kept = gatehouse.everything_kept()
    assert '"message":"unit processed"' in kept
    assert ROLE_ARN in kept
    assert EXTERNAL_ID not in kept
    assert "of-somebody-else" not in kept
