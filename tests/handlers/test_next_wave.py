"""What NextWave decides, by what runs, ledger and manifests say."""

from datetime import timedelta
from typing import Any

import pytest

from firewall_logs.adapters.backfills import Backfills
from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.ledger import LedgerClaims, LedgerCommits
from firewall_logs.adapters.machine import RunWatch
from firewall_logs.adapters.runs import Evidence, ObjectLists, Plans
from firewall_logs.backfills import estimate
from firewall_logs.backfills.contracts import BackfillInput, BackfillPlan, Order, Planning
from firewall_logs.backfills.estimate import Capacity
from firewall_logs.committer import manifest_of
from firewall_logs.contracts import (
    Account,
    Drift,
    FailureRecord,
    ListedObject,
    ObjectRef,
    PlannedObject,
    RunPlan,
    RunSummary,
    SourceObject,
)
from firewall_logs.errors import BackfillStuck, BackfillUnknown
from firewall_logs.feeds import Feeds
from firewall_logs.handlers.next_wave import handler
from firewall_logs.identity import object_id
from firewall_logs.version import TRANSFORM_VERSION
from kernel import aws
from tests.support.aws import LAKE, LEDGER, RUNS
from tests.support.context import Context
from tests.support.firewall import FEEDS, NOW, a_proof, a_source
from tests.support.metrics import emitted

CAPACITY = Capacity(architecture="arm64", concurrency=4, unit_bytes=1 << 28)


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Statuses of executions, by name."""
    known: dict[str, str] = {}
    monkeypatch.setattr(RunWatch, "status", lambda _, name: known.get(name))
    return known


pytestmark = pytest.mark.usefixtures("statuses")


def _backfills() -> Backfills:
    return Backfills(aws.s3(), RUNS)


def _source(name: str) -> SourceObject:
    return a_source(key=f"cloudflare/2.ford/{name}.gz", version_id=f"v-{name}")


def _begin(*waves: str, max_usd: float = 10, execution: str = "b") -> None:
    """Plan a backfill of waves; each letter is an object."""
    planned = []
    for number, names in enumerate(waves):
        sources = [_source(name) for name in names]
        _backfills().keep_wave("b", number, sources)
        planned.append(estimate.wave(number, [source.size for source in sources], [], 1000, CAPACITY))
    planning = Planning(complete=True, listed=sum(map(len, waves)), waves=planned)
    request = BackfillInput(feed="2.ford")
    plan = BackfillPlan(
        backfill_id="b",
        transform_version=TRANSFORM_VERSION,
        planned_at=NOW,
        request=request,
        planning=planning,
        estimate=estimate.total(planning, CAPACITY),
    )
    _backfills().keep_plan(plan)
    _backfills().give_order("b", Order(execution=execution, max_usd=max_usd))


def _decide(execution: str = "b", trouble: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = handler({"backfill_id": "b", "execution": execution, "trouble": trouble}, Context())
    return answer


def _commit(names: str) -> None:
    feed = Feeds(FEEDS).named("2.ford")
    for name in names:
        identity = object_id(_source(name), feed)
        ledger = LedgerClaims(aws.dynamodb(), LEDGER)
        ledger.claim(identity, _source(name), "run", now=NOW, lease_seconds=60)
        LedgerCommits(aws.dynamodb(), LEDGER).commit(identity, 1, Account(), defect=None, now=NOW)


def _end(run_id: str, names: str = "", usd: float = 0.5, **statuses: str) -> None:
    """End a run that committed these objects; of others the plan says what it found."""
    _commit(names)
    found = [
        PlannedObject(ref=ObjectRef(bucket="raw", key=_source(n).key, version_id=f"v-{n}"), status=status)
        for n, status in (dict.fromkeys(names, "planned") | statuses).items()
    ]
    plan = RunPlan(
        run_id=run_id, transform_version=TRANSFORM_VERSION, started_at=NOW, planned_at=NOW, units=1, objects=found
    )
    Plans(aws.s3(), RUNS).write(plan, [])
    summary = RunSummary(
        run_id=run_id,
        transform_version=TRANSFORM_VERSION,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=9),
        reconciled=True,
        account=Account(rows_in=10 * len(names), rows_out=10 * len(names)),
        quarantined_by_reason={},
        objects=len(found),
        objects_committed=len(names),
        objects_skipped=0,
        objects_defect=0,
        units=1,
        slices=1,
        files=1,
        bytes_in=1,
        bytes_out=1,
        drift=Drift(),
        seconds=9,
        processing_seconds=1,
        rows_per_second=1,
        lag_seconds_max=1,
        event_lag_seconds=None,
        usd=usd,
        usd_by_component={},
        usd_per_million_rows=None,
        feeds={},
    )
    Evidence(aws.s3(), RUNS).write_summary(summary)


def _listed(decision: dict[str, Any]) -> list[ListedObject]:
    return list(ObjectLists(aws.s3(), RUNS).read(decision["input"]["list_key"]))


def _fail(run_id: str) -> None:
    failure = {"run_id": run_id, "state": "x", "error": "x", "cause": "x", "objects_failed": 1}
    Evidence(aws.s3(), RUNS).write_failure(FailureRecord(**failure, recorded_at=NOW))


def test_waves_run_one_after_the_other_until_all_is_done() -> None:
    _begin("ab", "c")
    first = _decide()
    assert (first["next"], first["run_id"]) == ("run", "b-00000-1")
    assert [listed.version_id for listed in _listed(first)] == ["v-a", "v-b"]
    _end("b-00000-1", "ab")
    second = _decide()
    assert (second["run_id"], second["waves_done"], second["usd"]) == ("b-00001-1", 1, 0.5)
    _end("b-00001-1", "c")
    last = _decide()
    assert (last["next"], last["waves_done"], last["objects_left"], last["usd"]) == ("complete", 2, 0, 1.0)


def test_decision_that_was_not_carried_out_is_made_again() -> None:
    _begin("a")
    assert _decide()["run_id"] == _decide()["run_id"] == "b-00000-1"


def test_run_that_never_begins_stops_the_backfill_with_its_reason() -> None:
    _begin("a")
    for _ in range(6):
        _decide()
    with pytest.raises(BackfillStuck, match=r"asked for 6 times and never began. The last answer: not allowed"):
        _decide(trouble="not allowed")


def test_running_run_is_waited_for(statuses: dict[str, str]) -> None:
    _begin("a")
    _decide()
    statuses["b-00000-1"] = "RUNNING"
    decision = _decide()
    assert (decision["next"], decision["seconds"]) == ("wait", 30)


def test_wave_that_somebody_else_finished_needs_no_run() -> None:
    _begin("ab", "c")
    _commit("ab")
    assert _decide()["run_id"] == "b-00001-1"


def test_only_what_is_left_of_a_wave_is_listed() -> None:
    _begin("abc")
    _commit("b")
    assert [listed.key[-4] for listed in _listed(_decide())] == ["a", "c"]


def test_failed_wave_does_not_stop_the_others_and_is_tried_again_after_a_wait() -> None:
    _begin("ab", "c")
    _decide()
    _end("b-00000-1", "a")
    _fail("b-00000-1")
    assert _decide()["run_id"] == "b-00001-1"
    _end("b-00001-1", "c")
    waiting = _decide()
    assert (waiting["next"], waiting["seconds"], waiting["objects_left"]) == ("wait", 60, 1)
    again = _decide()
    assert again["run_id"] == "b-00000-2"
    assert [listed.key[-4] for listed in _listed(again)] == ["b"]
    _end("b-00000-2", "b")
    assert _decide()["next"] == "complete"


def test_rounds_are_bounded_and_what_is_left_is_named() -> None:
    _begin("ab")
    waits = []
    for attempt in range(1, 7):
        decision = _decide()
        if decision["next"] == "wait":
            waits.append(decision["seconds"])
            decision = _decide()
        assert decision["run_id"] == f"b-00000-{attempt}"
        _end(decision["run_id"], "a" if attempt == 1 else "", b="leased_elsewhere")
    end = _decide()
    assert waits == [60, 240, 960, 3840, 15360]
    assert (end["next"], end["objects_left"]) == ("left", 1)
    assert end["told"].startswith("1 objects are not in the lake, 0 of them gone")
    left = ObjectLists(aws.s3(), RUNS).read(end["left_key"])
    assert [listed.key[-4] for listed in left] == ["b"]


def test_object_that_is_gone_is_not_tried_again() -> None:
    _begin("ab")
    _decide()
    _end("b-00000-1", "a", b="missing")
    end = _decide()
    assert (end["next"], end["objects_left"]) == ("left", 1)
    assert "1 of them gone" in end["told"]


def test_resumed_backfill_tries_again_under_new_names() -> None:
    _begin("ab")
    _decide()
    _end("b-00000-1", "a", b="missing")
    assert _decide()["next"] == "left"
    _backfills().give_order("b", Order(execution="r", max_usd=10))
    assert _decide("r")["run_id"] == "b-00000-2"


def test_execution_that_lost_the_backfill_to_another_gives_way() -> None:
    _begin("a", execution="newer")
    assert _decide("b")["next"] == "superseded"
    assert _backfills().progress("b") is None


def test_pause_ends_the_execution_it_is_meant_for_at_the_next_wave() -> None:
    _begin("a", "b")
    _decide()
    _backfills().ask_to_pause("b", "b")
    _end("b-00000-1", "a")
    paused = _decide()
    assert (paused["next"], paused["waves_done"]) == ("paused", 1)
    _backfills().give_order("b", Order(execution="r", max_usd=10))
    assert _decide("r")["run_id"] == "b-00001-1"


@pytest.fixture
def short_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.backfills.conductor.MOST_DECISIONS", 1)


@pytest.mark.usefixtures("short_history")
def test_execution_with_a_long_history_hands_over_between_runs_to_one_that_goes_on(statuses: dict[str, str]) -> None:
    _begin("ab", "c")
    _decide()
    statuses["b-00000-1"] = "RUNNING"
    assert _decide()["next"] == "wait"
    statuses.clear()
    _end("b-00000-1", "a")
    handed = [_decide(), _decide()]
    assert [(decision["next"], decision["execution"]) for decision in handed] == [("handed_over", "b-part2")] * 2
    _backfills().give_order("b", Order(execution="b-part2", max_usd=10))
    assert _decide("b-part2")["run_id"] == "b-00001-1"
    _end("b-00001-1", "c")
    again = _decide("b-part2")
    assert (again["next"], again["execution"]) == ("handed_over", "b-part3")


@pytest.mark.usefixtures("short_history")
def test_successor_inherits_rounds_so_that_they_stay_bounded() -> None:
    _begin("ab")
    execution, attempts, waits = "b", 0, []
    for _ in range(40):
        decision = _decide(execution)
        if decision["next"] == "run":
            attempts += 1
            _end(decision["run_id"], "a" if attempts == 1 else "", b="leased_elsewhere")
        elif decision["next"] == "wait":
            waits.append(decision["seconds"])
        elif decision["next"] == "handed_over":
            execution = decision["execution"]
            _backfills().give_order("b", Order(execution=execution, max_usd=10))
        else:
            break
    assert (decision["next"], attempts, waits) == ("left", 6, [60, 240, 960, 3840, 15360])


@pytest.mark.usefixtures("short_history")
def test_pause_that_was_asked_of_an_execution_while_it_handed_over_holds_for_its_successor() -> None:
    _begin("a", "b")
    _decide()
    _end("b-00000-1", "a")
    assert _decide()["next"] == "handed_over"
    _backfills().ask_to_pause("b", "b")
    _backfills().give_order("b", Order(execution="b-part2", max_usd=10))
    assert _decide("b-part2")["next"] == "paused"
    _backfills().give_order("b", Order(execution="r", max_usd=10))
    assert _decide("r")["run_id"] == "b-00001-1"


@pytest.mark.usefixtures("short_history")
def test_successor_that_never_began_is_replaced_by_whoever_resumes_and_never_named_again() -> None:
    _begin("a", "b")
    _decide()
    _end("b-00000-1", "a")
    assert _decide()["execution"] == "b-part2"
    _backfills().give_order("b", Order(execution="r", max_usd=10))
    assert _decide("r")["run_id"] == "b-00001-1"
    _end("b-00001-1", "b")
    assert _decide("r")["execution"] == "b-part3"


def test_breaker_trips_before_a_wave_that_would_cost_too_much(capsys: pytest.CaptureFixture[str]) -> None:
    _begin("a", "b", max_usd=0.5)
    _decide()
    _end("b-00000-1", "a", usd=0.4999999)
    stopped = _decide()
    assert stopped["next"] == "stopped"
    assert "max_usd, 0.5000. Resume with a higher max_usd" in stopped["told"]
    told = emitted(capsys.readouterr().out)
    assert (told["CostBreakersTripped"], told["BackfillUsd"]) == (1, 0.4999999)
    _backfills().give_order("b", Order(execution="r", max_usd=5))
    assert _decide("r")["run_id"] == "b-00001-1"


def test_costs_of_every_attempt_count() -> None:
    _begin("ab")
    _decide()
    _end("b-00000-1", "a", usd=0.5)
    _decide()
    _decide()
    _end("b-00000-2", "b", usd=0.25)
    assert _decide()["usd"] == 0.75


def test_limits_are_handed_to_the_run() -> None:
    _begin("a")
    _backfills().give_order("b", Order(execution="b", max_usd=10, max_concurrency=3, engine="batch"))
    given = _decide()["input"]
    assert (given["max_concurrency"], given["engine"]) == (3, "batch")


def test_nothing_to_do_is_complete() -> None:
    _begin()
    assert _decide()["next"] == "complete"


def test_backfill_without_plan_is_refused() -> None:
    with pytest.raises(BackfillUnknown, match="Backfill b has no plan"):
        _decide()


def test_object_of_no_feed_any_more_is_left_and_named() -> None:
    stray = a_source(key="elsewhere/x", version_id="v")
    _begin("a")
    _backfills().keep_wave("b", 0, [stray])
    assert _decide()["run_id"] == "b-00000-1"


def test_object_committed_by_another_transform_meanwhile_is_done() -> None:
    _begin("a")
    Manifests(aws.s3(), LAKE).publish(manifest_of([a_proof(source=_source("a"), transform_version="0")]))
    assert _decide()["next"] == "complete"
