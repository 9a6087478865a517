"""`database_logs` as it is deployed: the template's machines, queues and functions against the local log API of RDS.

The databases are of two accounts. IAM is enforced: functions do all of this under the policies of the real templates.
"""

import json
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.database_demo_application import Application, FunctionClock
from cli.database_demo_check import compare, first_differences, lines_written, records_of_lake
from local.deploy import STACK, deploy
from local.endpoints import ACCOUNT, REGION
from local.paths import ROOT
from local.rds.model.estates import resource_id
from local.rds.model.sources import MemorySource
from local.rds.model.world import World
from local.rds.server import RdsServer
from local.schedules import pause
from local.supervisor import EmbeddedCloud
from tests.e2e.conftest import Gatehouse, ended
from tests.support.cloud import WAIT_SCALE, eventually
from tests.support.openobserve import PASSWORD, USER, OpenObserve, running
from tests.support.rds import SLOW, add_instance, write

pytestmark = pytest.mark.cloud

DISCOVER, FORWARD, VERIFY = (
    f"gatehouse-local-database-logs-{name}" for name in ("discover-logs", "forward-records", "verify-search")
)
OTHER, ROLE, EXTERNAL_ID = "222222222222", "gatehouse-database-logs", "gatehouse-7f3a"
ROLE_ARN = f"arn:aws:iam::{OTHER}:role/{ROLE}"
FLEET = {
    "estates": [
        {"account": ACCOUNT, "region": REGION},
        {"account": OTHER, "region": REGION, "role_arn": ROLE_ARN, "external_id": EXTERNAL_ID},
    ]
}
PARAMETERS = {
    "FirewallLogs": "disabled",
    "FirewallLogsBatch": "disabled",
    "DatabaseLogs": "enabled",
    "DatabaseLogsRoleArns": ROLE_ARN,
}
STREAM = "database_logs"
ROTATED = "Other#Pass:2"
# How often one delivery of a message asks an engine that is down.
ATTEMPTS = 7
# Records that three databases have written at first.
FIRST = 4000 + 500 + 40


@dataclass(frozen=True)
class Estate(Gatehouse):
    """The application, the databases whose logs it reads, and the search engine that it sends them to."""

    server: RdsServer
    search: OpenObserve
    clock: FunctionClock

    def pass_time(self) -> None:
        """Let six minutes go by: instances are listed anew, and no file waits for more of its last record."""
        self.server.world.advance(timedelta(minutes=6))
        self.clock.set(self.server.world.now())

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects of the lake below a prefix."""
        s3, bucket = self.client("s3"), self.output("LakeBucketName")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def lake(self, folder: Path) -> dict[str, bytes]:
        """Return what the lake has of each instance's bytes: its records in their order."""
        found = self.objects("database_logs/logs/")
        for number, body in enumerate(found.values()):
            (folder / f"{number}.parquet").write_bytes(body)
        if not found:
            return {}
        rows = duckdb.execute(
            "SELECT instance_id, coalesce(raw_bytes, encode(raw)) FROM read_parquet($files, union_by_name = true) "
            "ORDER BY instance_id, file, generation, offset_start",
            {"files": f"{folder}/*.parquet"},
        ).fetchall()
        texts: defaultdict[str, bytes] = defaultdict(bytes)
        for instance, raw in rows:
            texts[instance] += raw
        return dict(texts)

    def event_ids(self, folder: Path) -> list[str]:
        """Return the event_id of each record that the lake has."""
        self.lake(folder)
        rows = duckdb.execute(
            "SELECT event_id FROM read_parquet($files, union_by_name = true) ORDER BY event_id",
            {"files": f"{folder}/*.parquet"},
        ).fetchall()
        return [event_id for (event_id,) in rows]

    def write(self, instance: str, events: int, columns: int = 0) -> None:
        """Let a new instance write to its slow log, statements of many columns if they should be long."""
        world = self.server.world
        write(add_instance(world, instance, "mysql"), SLOW, _slow(world.now(), events, columns))

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Yield while what search did not take comes again after eight seconds rather than half an hour."""
        queues = self.client("sqs")
        url = queues.get_queue_url(QueueName="gatehouse-local-database-logs-search")["QueueUrl"]
        before = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "8"})
        try:
            yield
        finally:
            queues.set_queue_attributes(QueueUrl=url, Attributes=before)

    def logged(self, function: str) -> str:
        """Return what a function logged."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
        return "\n".join(event["message"] for page in pages for event in page["events"])

    def discover(self) -> None:
        """Let discover_logs look after a while, which must succeed."""
        self.pass_time()
        described = self.run("DiscoverLogsArn")
        assert described["status"] == "SUCCEEDED", (described["error"], described["cause"])

    def collects(self, folder: Path) -> None:
        """Let discover_logs look, and wait until the lake has all that the databases wrote."""
        self.discover()
        wanted = {name: text for name, text in self.truth(folder / "truth").items() if text}
        (folder / "lake").mkdir()
        eventually(lambda: self.lake(folder / "lake") == wanted)

    def truth(self, folder: Path) -> dict[str, bytes]:
        """Return what each instance wrote, as the log API has it."""
        texts: defaultdict[str, bytes] = defaultdict(bytes)
        for file in self.server.control.truth(str(folder)):
            assert file.path is not None
            texts[file.instance] += Path(file.path).read_bytes()
        return dict(texts)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    # At the hour logs rotate: that is for other tests.
    at = datetime.now(UTC).replace(minute=6, second=0, microsecond=0) - timedelta(hours=1)
    clock = FunctionClock(tmp_path_factory.mktemp("functions") / "clock")
    with RdsServer(World(at)) as server, running() as search:
        cloud = EmbeddedCloud.start(
            f"test-{uuid.uuid4().hex[:8]}",
            enforce_iam=True,
            rds=server.endpoint,
            clock=clock.path,
            wait_scale=WAIT_SCALE,
        )
        try:
            server.control.cloud(cloud.endpoint)
            _deploy_other_account(cloud)
            secret = cloud.client("secretsmanager").create_secret(Name="search", SecretString=_user(PASSWORD))["ARN"]
            parameters = {"DatabaseLogsSearchUrl": search.url, "DatabaseLogsSearchSecretArn": secret}
            deployed = deploy(cloud, parameters=PARAMETERS | parameters, on_progress=print)
            pause(cloud.client("events"))
            cloud.client("ssm").put_parameter(
                Name="/gatehouse/local/database_logs/fleet", Value=json.dumps(FLEET), Overwrite=True
            )
            _look_at_everything(cloud)
            yield Estate(cloud, deployed, server, search, clock)
        finally:
            cloud.stop()
            shutil.rmtree(cloud.folder, ignore_errors=True)


def _deploy_other_account(cloud: EmbeddedCloud) -> None:
    parameters = {"GatehouseAccountId": ACCOUNT, "GatehouseStackName": STACK, "ExternalId": EXTERNAL_ID}
    stacks = cloud.client("cloudformation", OTHER)
    stacks.create_stack(
        StackName=ROLE,
        TemplateBody=(ROOT / "stacks/database_account.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    made = eventually(lambda: ended(stacks, ROLE))
    assert {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]} == {"RoleArn": ROLE_ARN}


def _user(password: str) -> str:
    return json.dumps({"username": USER, "password": password})


def _look_at_everything(cloud: EmbeddedCloud) -> None:
    """Let verify_search look, at once, at everything that search said to have stored."""
    functions, queues = cloud.client("lambda"), cloud.client("sqs")
    variables = functions.get_function_configuration(FunctionName=FORWARD)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=FORWARD, Environment={"Variables": variables | {"SEARCH_VERIFY_ONE_IN": "1"}}
    )
    queues.set_queue_attributes(QueueUrl=variables["SEARCH_VERIFY_QUEUE_URL"], Attributes={"DelaySeconds": "0"})


def _postgres(now: datetime, number: int, count: int) -> bytes:
    lines = (
        f"{now:%Y-%m-%d %H:%M:%S} UTC:10.0.0.{n % 250}(5432):app@shop:[{n}]:LOG:  duration: {n}.5 ms  statement: "
        f"CALL ship({n}, 'ann-{n}@example.com')\n\t-- by hand\n"
        for n in range(number, number + count)
    )
    return "".join(lines).encode()


def _slow(now: datetime, count: int, columns: int = 0) -> bytes:
    wanted = "".join(f", extension_{number}" for number in range(columns))
    events = (
        f"# Time: {now:%Y-%m-%dT%H:%M:%S}.{n:06d}Z\n# User@Host: app[app] @  [10.0.0.1]  Id: {n}\n"
        f"# Query_time: {1 + n % 7}.25  Lock_time: 0.000010 Rows_sent: 1  Rows_examined: {n}\n"
        f"SET timestamp={int(now.timestamp())};\nSELECT name{wanted} FROM people WHERE mail = 'ann-{n}@example.com';\n"
        for n in range(count)
    )
    return "".join(events).encode()


def test_what_databases_wrote_is_in_the_lake_once_the_machine_has_run(estate: Estate, tmp_path: Path) -> None:
    world = estate.server.world
    now = world.now()
    stderr, _ = (log.source for log in add_instance(world, "orders-1", "postgres").logs)
    assert isinstance(stderr, MemorySource)
    stderr.write(_postgres(now, 0, 4000))
    write(add_instance(world, "search-1", "mysql"), SLOW, _slow(now, 500))
    write(add_instance(world, "ledger-1", "mysql", account=OTHER), SLOW, _slow(now, 40))
    add_instance(world, "idle-1", "mysql")
    estate.collects(tmp_path)


def test_every_record_of_the_lake_is_found_in_search_by_its_id_and_no_value_of_a_statement_is(
    estate: Estate, tmp_path: Path
) -> None:
    records = estate.event_ids(tmp_path)
    assert len(records) == FIRST
    eventually(lambda: estate.search.ids(STREAM) == records)
    found = estate.search.search(f'SELECT event_id FROM "{STREAM}" ORDER BY event_id', 0, 2**62)  # noqa: S608
    assert [row["event_id"] for row in found] == records
    told = json.dumps(estate.search.streams)
    assert "CALL ship(?, ?)" in told
    assert "example.com" not in told


def test_search_that_is_down_for_an_hour_has_each_record_once_afterwards_and_the_lake_never_waits(
    estate: Estate, tmp_path: Path
) -> None:
    search, before = estate.search, len(estate.search.requests)
    search.retry_after = 0
    # Down from the second request on: in the midst of a segment.
    search.phases.append("ok")
    search.phases.extend(repeat("429", 100_000))
    estate.write("carts-1", 80, columns=6000)
    with estate.impatient():
        estate.collects(tmp_path)
        records = estate.event_ids(tmp_path / "lake")
        eventually(lambda: len(search.requests) > before + 1 + 2 * ATTEMPTS)
        assert len(records) == FIRST + 80
        assert FIRST < len(search.ids(STREAM)) < len(records)

        search.phases.clear()

        eventually(lambda: search.ids(STREAM) == records)


def test_secret_that_is_rotated_after_the_engine_was_costs_no_record(estate: Estate, tmp_path: Path) -> None:
    estate.search.password = ROTATED
    estate.write("mails-1", 10)
    with estate.impatient():
        estate.collects(tmp_path)
        eventually(lambda: "Search answered 401" in estate.logged(FORWARD))
        records = estate.event_ids(tmp_path / "lake")
        assert len(estate.search.ids(STREAM)) == len(records) - 10

        estate.client("secretsmanager").put_secret_value(SecretId="search", SecretString=_user(ROTATED))

        eventually(lambda: estate.search.ids(STREAM) == records)
    assert not {word for word in (PASSWORD, ROTATED) if word in estate.logged(FORWARD)}


def test_what_search_said_to_have_stored_and_has_not_is_found_missing_and_sent_again(
    estate: Estate, tmp_path: Path
) -> None:
    estate.search.phases.append("unstored")
    estate.write("users-1", 10)
    estate.collects(tmp_path)
    records = estate.event_ids(tmp_path / "lake")
    eventually(lambda: estate.search.ids(STREAM) == records)
    eventually(lambda: '"expected":10,"found":0' in estate.logged(VERIFY))


def test_replays_bring_back_what_is_lost_and_change_nothing_but_that_search_is_told_again(
    estate: Estate, tmp_path: Path
) -> None:
    before, found = estate.lake(tmp_path), estate.search.ids(STREAM)
    assert before
    s3, bucket = estate.client("s3"), estate.output("RawBucketName")
    folder = f"database_logs/segments/mysql_slow/{resource_id('db', ACCOUNT, 'search-1')}/"
    [lost] = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
    segment = s3.get_object(Bucket=bucket, Key=lost["Key"])["Body"].read()
    s3.delete_object(Bucket=bucket, Key=lost["Key"])
    now = estate.server.world.now() + timedelta(minutes=30)
    time = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    wanted = [
        {**time, "instances": ["orders-1"], "dry_run": True},
        {**time, "instances": ["orders-1"]},
        {**time, "instances": ["search-1"], "source": "rds"},
    ]
    # Most of their time they wait for the parsers.
    with ThreadPoolExecutor(len(wanted)) as threads:
        described = list(threads.map(lambda replay: estate.run("ReplayLogsArn", **replay), wanted))
    assert {one["status"] for one in described} == {"SUCCEEDED"}, described
    dry, replayed, restored = (json.loads(one["output"]) for one in described)
    assert dry["segments"] == replayed["done"] == 1
    assert [restored[name] for name in ("restored", "done", "gone", "unavailable")] == [1, 1, 0, 0]
    assert s3.get_object(Bucket=bucket, Key=lost["Key"])["Body"].read() == segment
    assert estate.lake(tmp_path) == before
    eventually(lambda: len(estate.search.ids(STREAM)) == len(found) + 4500)
    assert set(estate.search.ids(STREAM)) == set(found)


def test_digest_of_a_day_is_a_report_and_a_file(estate: Estate, tmp_path: Path) -> None:
    tomorrow = estate.server.world.now() + timedelta(days=1)
    described = estate.run("DigestQueriesArn", time=tomorrow.isoformat())
    assert described["status"] == "SUCCEEDED", (described["error"], described["cause"])
    [*_, made] = json.loads(described["output"])["digests"]
    assert (made["statements"], made["calls"]) == (3, len(estate.event_ids(tmp_path)))
    found = estate.objects("database_logs/digests/date=")
    assert {made["digest_key"], made["report_key"]} <= found.keys()
    assert b"SELECT name FROM people WHERE mail" in found[made["report_key"]]


def test_demo_counts_what_the_deployed_application_did(estate: Estate, tmp_path: Path) -> None:
    application = Application(estate.cloud, estate.deployment.outputs)
    instance = add_instance(estate.server.world, "demo-1", "mysql")
    write(instance, SLOW, _slow(estate.server.world.now(), 50))
    estate.pass_time()
    before = application.metrics()

    *_, last = application.collect()

    assert (last.done, last.queued) == (True, 1)
    assert (application.metrics() - before)["SegmentsStored"] == 1
    assert application.gaps() == 0
    records = records_of_lake(estate.client("s3"), estate.output("LakeBucketName"), tmp_path / "lake")
    truth = [asdict(file) for file in estate.server.control.truth(str(tmp_path / "truth"))]
    comparison = compare(lines_written(truth), records)
    assert comparison.written == comparison.in_lake > 50
    assert not list(first_differences(comparison))
    [page] = application.digest(estate.server.world.now()).values()
    assert b"SELECT name FROM people WHERE mail" in page


def test_nothing_of_all_this_was_refused_to_a_function(estate: Estate) -> None:
    assert estate.refusals() == []


def test_function_without_its_policy_is_refused(estate: Estate) -> None:
    functions, iam = estate.client("lambda"), estate.client("iam")
    role = functions.get_function_configuration(FunctionName=DISCOVER)["Role"].rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    answer: dict[str, Any] = functions.invoke(FunctionName=DISCOVER, Payload=b"{}")
    assert "not authorized to perform" in answer["Payload"].read().decode()
