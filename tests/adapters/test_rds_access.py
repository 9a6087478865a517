"""What the adapters of database_logs make of AWS' answers."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs.adapters.budget import Bucket, Budget
from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.fleet import EstateSessions
from database_logs.adapters.rds import Calls, FleetApi, LogApi, meaning
from database_logs.adapters.segments import Segments
from database_logs.adapters.tasks import CollectQueue
from database_logs.contracts import CollectTask, FileRef
from database_logs.discovery.fleet import Estate
from database_logs.discovery.responses import MemoryCache, Responses
from database_logs.errors import (
    AccessRefused,
    ApiThrottled,
    ApiUnavailable,
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


class _Api(FleetApi, LogApi):
    """All that is asked of RDS."""


def _api(run: Collecting) -> _Api:
    responses = Responses(MemoryCache(), MemoryCache(), (ACCOUNT, REGION, ""), run.world.now)
    return _Api(aws.rds(aws.session(), REGION), _budget(Clock(), 1e6), responses)


def _complete(budget: Budget | None = None, calls: Calls | None = None) -> CompleteFiles:
    rds = aws.rds(aws.session(), REGION)
    return CompleteFiles(aws.session(), rds, budget or _budget(Clock(), 1e6), calls or Calls())


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


def test_calls_that_are_refused_cost_nothing_so_that_work_goes_on_however_many_ask(run: Collecting) -> None:
    clock = Clock()
    done = 0
    for _ in range(10):
        # Eight workers at a time, each for one call; a worker waits on its own.
        for _ in range(8):
            worker = Budget(
                aws.dynamodb(), TRACKING, "a/r", ceiling=1.0, now=clock.now, sleep=lambda _: None, longest=30.0
            )
            with suppress(ApiThrottled):
                worker.spend()
                done += 1
        clock.at += timedelta(seconds=10)
    # Five tokens each: what 100 seconds bring, and no less.
    assert done >= 100 / 5


def test_throttle_halves_the_rate_for_all_and_it_grows_again() -> None:
    bucket = Bucket(1, 5.0, 100.0, 8.0).slower()
    assert (bucket.rate, bucket.tokens) == (4.0, 0.0)
    assert bucket.take(104.0, 1, 10.0).rate == 5.0
    assert bucket.take(1000.0, 1, 10.0).rate == 10.0
    for _ in range(20):
        bucket = bucket.slower()
    assert bucket.rate == 0.5


def test_share_of_the_budget_is_that_of_all_functions(run: Collecting) -> None:
    clock = Clock()
    one, other = _budget(clock, ceiling=10.0), _budget(clock, ceiling=10.0)
    assert one.share == 0.0
    for _ in range(1500):
        one.spend()
        clock.at += timedelta(seconds=0.4)
        other.spend()
    # Five of ten calls a second, half of them by each.
    assert one.share == pytest.approx(0.5, abs=0.05)
    assert other.share == pytest.approx(0.5, abs=0.05)
    clock.at += timedelta(minutes=10)
    for _ in range(5):
        other.spend()
    assert other.share < 0.02


def test_bucket_of_the_version_before_is_taken_over(run: Collecting) -> None:
    clock = Clock()
    before = {"version": 7, "tokens": 3.0, "at": clock.at.timestamp(), "rate": 4.0}
    item: Any = {"resource": {"S": "estate#a/r"}, "item": {"S": "budget"}}
    item |= {name: {"N": str(value)} for name, value in before.items()}
    aws.dynamodb().put_item(TableName=TRACKING, Item=item)
    budget = _budget(clock)
    budget.spend()
    assert 0 < budget.share < 0.1


def test_throttled_call_is_made_again_and_then_given_up(run: Collecting) -> None:
    database(run, "postgres", "stderr")
    run.server.control.script([Rule(Effect.THROTTLE, times=3)])
    api = _api(run)
    random.seed(1)
    assert [one.instance_id for one in api.instances()] == ["orders-1"]
    assert api.budget.throttled > 0
    run.server.control.script([Rule(Effect.THROTTLE, times=None)])
    with pytest.raises(ApiThrottled):
        api.find("db-1")
    assert api.calls.failed == 0


@pytest.mark.parametrize("effect", [Effect.UNAVAILABLE, Effect.INTERNAL_FAILURE, Effect.RESET])
def test_passing_fault_is_asked_again_and_each_attempt_is_paid_and_counted(run: Collecting, effect: Effect) -> None:
    database(run, "postgres", "stderr")
    run.server.control.script([Rule(effect, times=2)])
    api = _api(run)
    assert [one.file for one in api.log_files("orders-1")] == [PG]
    assert (api.budget.spent, api.calls.failed, api.budget.throttled) == (3, 2, 0)
    run.server.control.script([Rule(effect, times=None)])
    with pytest.raises(ApiUnavailable):
        api.find("db-1")


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
        list(_complete().stream("orders-1", PG))


def test_api_that_does_not_answer_has_failed(run: Collecting) -> None:
    run.server.control.script([Rule(Effect.RESET, times=None)])
    api = _api(run)
    with pytest.raises(ApiUnavailable):
        api.instances()
    assert api.calls.failed == api.budget.spent > 1


def test_instance_that_is_none_is_gone(run: Collecting) -> None:
    assert _api(run).find("db-9") is None
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
    files = _complete()
    assert b"".join(files.stream("orders-1", file)) == data
    rule = Rule(Effect.DISCONNECT, action="DownloadCompleteDBLogFile", times=None, amount=1000)
    run.server.control.script([rule])
    with pytest.raises(DeliveryShort):
        list(files.stream("orders-1", file))


def test_complete_files_are_paid_for_and_wait_when_they_are_throttled(run: Collecting) -> None:
    _, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 10))
    budget, calls = _budget(Clock(), 1e6), Calls()
    files = _complete(budget, calls)
    run.server.control.script([Rule(Effect.THROTTLE, action="DownloadCompleteDBLogFile", times=2)])
    assert b"".join(files.stream("orders-1", PG)) == pg_lines(0, 10)
    assert (budget.spent, budget.throttled, calls.failed) == (3, 2, 0)
    run.server.control.script([Rule(Effect.THROTTLE, action="DownloadCompleteDBLogFile", times=None)])
    with pytest.raises(ApiThrottled):
        list(files.stream("orders-1", PG))
    assert calls.failed == 0
    run.server.control.script([Rule(Effect.INTERNAL_FAILURE, action="DownloadCompleteDBLogFile", times=1)])
    with pytest.raises(DeliveryShort, match="500 InternalFailure"):
        list(files.stream("orders-1", PG))
    assert calls.failed == 1


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
    queue.send([(task, "a", "0"), (grown, "a", "0")])
    queue.send([(task, "a", "0")])
    queue.send([(task, "a", "7")])
    other: Any = task.model_copy(update={"file": task.file.model_copy(update={"file": "b"})})
    queue.send([(other, "b", "0")])
    messages = run.messages()
    assert len(messages) == 4
    assert len({message["attributes"]["MessageGroupId"] for message in messages}) == 2
