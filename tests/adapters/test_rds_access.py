"""What the adapters of database_logs make of AWS' answers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs.adapters.budget import Bucket, Budget
from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.fleet import EstateSessions
from database_logs.adapters.rds import RdsApi, meaning
from database_logs.adapters.segments import Segments
from database_logs.adapters.tasks import CollectQueue
from database_logs.contracts import CollectTask, FileRef
from database_logs.discovery.fleet import Estate
from database_logs.errors import (
    AccessRefused,
    ApiThrottled,
    DeliveryShort,
    FileGone,
    InstanceGone,
    InstancePaused,
    PortionUnreadable,
)
from database_logs.log_types import LogType
from kernel import aws
from local.endpoints import ACCOUNT, REGION
from local.rds.model.portions import BinaryPolicy
from local.rds.model.script import Effect, Rule
from tests.support.rds_collecting import SEGMENTS, TRACKING, Collecting, collecting, database, pg_lines

PG = "error/postgresql.log.2026-11-21-06"


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


class Clock:
    """A clock that goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def _budget(clock: Clock, ceiling: float = 10.0, longest: float = 60.0) -> Budget:
    return Budget(aws.dynamodb(), TRACKING, "a/r", ceiling=ceiling, now=clock.now, sleep=clock.sleep, longest=longest)


def _api(run: Collecting) -> RdsApi:
    clock = Clock()
    return RdsApi(aws.rds(aws.session(), REGION), _budget(clock, 1e6), run.world.now)


def test_two_functions_share_one_rate(run: Collecting) -> None:
    clock = Clock()
    one, other = _budget(clock), _budget(clock)
    began = clock.at
    for _ in range(100):
        one.spend()
        other.spend()
    # 200 calls at 10 a second, with a second's worth to begin with.
    assert 18 <= (clock.at - began).total_seconds() <= 20


def test_budget_that_is_spent_for_long_is_an_error_and_no_endless_wait(run: Collecting) -> None:
    clock = Clock()
    for _ in range(2):
        _budget(clock, ceiling=1.0, longest=8.0).spend()
    slept = sum(clock.slept)
    with pytest.raises(ApiThrottled, match="spent"):
        _budget(clock, ceiling=0.1, longest=8.0).spend()
    assert sum(clock.slept) == slept


def test_throttle_halves_the_rate_for_all_and_it_grows_again() -> None:
    bucket = Bucket(1, 5.0, 100.0, 8.0).slower()
    assert (bucket.rate, bucket.tokens) == (4.0, 0.0)
    assert bucket.take(104.0, 1, 10.0).rate == 5.0
    assert bucket.take(1000.0, 1, 10.0).rate == 10.0
    for _ in range(20):
        bucket = bucket.slower()
    assert bucket.rate == 0.5


def test_throttled_call_is_made_again_and_then_given_up(run: Collecting) -> None:
    database(run, "postgres", "stderr")
    run.server.control.script([Rule(Effect.THROTTLE, times=3)])
    api = _api(run)
    random.seed(1)
    assert [one.instance_id for one in api.instances()] == ["orders-1"]
    assert api.budget.throttled > 0
    run.server.control.script([Rule(Effect.THROTTLE, times=None)])
    with pytest.raises(ApiThrottled):
        api.instances()
    assert api.calls.failed == 0


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Effect.NOT_READY, InstancePaused),
        (Effect.FILE_NOT_FOUND, FileGone),
        (Effect.ACCESS_DENIED, AccessRefused),
    ],
)
def test_errors_of_rds_are_told_apart(run: Collecting, effect: Effect, error: type[Exception]) -> None:
    database(run, "postgres", "stderr")
    run.server.control.script([Rule(effect, times=None)])
    with pytest.raises(error):
        _api(run).portion("orders-1", PG, "0", 10)
    with pytest.raises(error):
        list(CompleteFiles(aws.session(), aws.rds(aws.session(), REGION)).stream("orders-1", PG))


def test_instance_that_is_none_is_gone(run: Collecting) -> None:
    with pytest.raises(InstanceGone):
        _api(run).instance("orders-9")
    with pytest.raises(InstanceGone):
        _api(run).log_files("orders-9")


@pytest.mark.parametrize("policy", [BinaryPolicy.REFUSE, BinaryPolicy.RAW])
def test_bytes_that_have_no_form_in_xml_are_no_failure_of_the_api(run: Collecting, policy: BinaryPolicy) -> None:
    _, logs = database(run, "postgres", "stderr", binary=policy)
    logs["stderr"].write(b"a\0b\n")
    api = _api(run)
    with pytest.raises(PortionUnreadable):
        api.portion("orders-1", PG, "0", 10)
    assert api.calls.failed == 0


@pytest.mark.parametrize("code", ["SlowDown", "ThrottlingException", "RequestLimitExceeded"])
def test_every_form_of_throttle_is_one(code: str) -> None:
    assert isinstance(meaning(code, "x"), ApiThrottled)
    assert meaning("InternalFailure", "x") is None


@pytest.mark.parametrize("compressed", [False, True])
def test_lost_connection_is_no_end_of_a_complete_file(run: Collecting, compressed: bool) -> None:  # noqa: FBT001
    _, logs = database(run, "postgres", "stderr")
    data = pg_lines(0, 5_000)
    logs["stderr"].write(data)
    file = PG
    if compressed:
        run.world.advance(timedelta(hours=1))
        run.server.control.compress("orders-1", PG)
        file = f"{PG}.gz"
    files = CompleteFiles(aws.session(), aws.rds(aws.session(), REGION))
    assert b"".join(files.stream("orders-1", file)) == data
    rule = Rule(Effect.DISCONNECT, action="DownloadCompleteDBLogFile", times=None, amount=1000)
    run.server.control.script([rule])
    with pytest.raises(DeliveryShort):
        list(files.stream("orders-1", file))


def test_estate_of_another_account_is_read_in_its_role(run: Collecting) -> None:
    role = "arn:aws:iam::210987654321:role/logs"
    session = EstateSessions().of(Estate(account="210987654321", region=REGION, role_arn=role, external_id="gatehouse"))
    assert (
        session.client("sts", region_name=REGION)
        .get_caller_identity()["Arn"]
        .startswith("arn:aws:sts::210987654321:assumed-role/logs/")
    )
    own = EstateSessions().of(Estate(account=ACCOUNT, region=REGION))
    assert own is aws.session()


def test_segment_is_written_once_and_what_was_there_first_counts(run: Collecting) -> None:
    segments = Segments(aws.s3(), SEGMENTS)
    assert segments.put("k", b"one") == b"one"
    assert segments.put("k", b"one") == b"one"
    assert segments.put("k", b"two") == b"one"


def test_state_of_a_file_is_queued_once_and_logs_have_groups_of_their_own(run: Collecting) -> None:
    file = FileRef(
        account=ACCOUNT,
        region=REGION,
        dbi_resource_id="db-1",
        instance_id="orders-1",
        engine="postgres",
        log_type=LogType.POSTGRES_STDERR,
        file=PG,
    )
    at = datetime(2026, 11, 21, tzinfo=UTC)
    task = CollectTask(file=file, size=10, last_written=at, deadline=at)
    queue = CollectQueue(aws.sqs(), run.queue)
    grown = task.model_copy(update={"size": task.size + 1})
    queue.send([(task, "a", 0), (grown, "a", 0)])
    queue.send([(task, "a", 0)])
    queue.send([(task, "a", 7)])
    other: Any = task.model_copy(update={"file": task.file.model_copy(update={"file": "b"})})
    queue.send([(other, "b", 0)])
    messages = run.messages()
    assert len(messages) == 4
    assert len({message["attributes"]["MessageGroupId"] for message in messages}) == 2
