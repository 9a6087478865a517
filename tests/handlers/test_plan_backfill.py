import io
import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firewall_logs.adapters.access import SourceClients
from firewall_logs.adapters.backfills import Backfills
from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.ledger import LedgerClaims, LedgerCommits
from firewall_logs.adapters.source import SourceCatalogue
from firewall_logs.backfills.contracts import BackfillPlan, Density
from firewall_logs.committer import manifest_of
from firewall_logs.contracts import Account, ObjectRef, SourceObject
from firewall_logs.errors import BackfillUnknown, FeedConfigInvalid, FeedUnknown, ListInvalid
from firewall_logs.feeds import Feeds
from firewall_logs.handlers.plan_backfill import handler
from firewall_logs.identity import object_id
from kernel import aws
from kernel.errors import EffectConflict, ValidationError
from tests.support.aws import LAKE, LEDGER, RAW, RUNS
from tests.support.context import Context
from tests.support.firewall import FEEDS, NOW, a_proof

pytestmark = pytest.mark.pyarrow


@dataclass(frozen=True)
class Hurried(Context):
    """A context whose time is nearly up."""

    def get_remaining_time_in_millis(self) -> int:
        return 1000


def _put(key: str, body: bytes = b"x") -> SourceObject:
    version = aws.s3().put_object(Bucket=RAW, Key=key, Body=body)["VersionId"]
    catalogue = SourceCatalogue(SourceClients(Feeds(FEEDS), aws.s3(), "test"))
    source = catalogue.describe(ObjectRef(bucket=RAW, key=key, version_id=version))
    assert source is not None
    return source


def _commit(source: SourceObject, rows: int = 1) -> None:
    feed = Feeds(FEEDS).owner(source.bucket, source.key)
    assert feed is not None
    identity = object_id(source, feed)
    account = Account(rows_in=rows, rows_out=rows)
    LedgerClaims(aws.dynamodb(), LEDGER).claim(identity, source, "run-0", now=NOW, lease_seconds=60)
    proof = a_proof(object_id=identity, source=source, account=account, source_rows=rows, quarantined_by_reason={})
    Manifests(aws.s3(), LAKE).publish(manifest_of([proof]))
    LedgerCommits(aws.dynamodb(), LEDGER).commit(identity, 1, account, defect=None, now=NOW)


def _parquet(rows: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"RayID": [str(n) for n in range(rows)]}), sink)
    return sink.getvalue()


def _call(name: str = "b1", context: Context | None = None, **wanted: Any) -> dict[str, Any]:
    answer: dict[str, Any] = handler({"execution": name, "input": wanted}, context or Context())
    return answer


def _plan(name: str = "b1", **wanted: Any) -> BackfillPlan:
    assert _call(name, **wanted)["planned"]
    plan = _backfills().plan(name)
    assert plan is not None
    return plan


def _backfills() -> Backfills:
    return Backfills(aws.s3(), RUNS)


def _keys(name: str = "b1") -> list[list[str]]:
    plan = _backfills().plan(name)
    assert plan is not None
    return [[source.key for source in _backfills().wave(name, wave.wave)] for wave in plan.planning.waves]


def test_plan_names_what_is_left_and_counts_what_is_done() -> None:
    done = _put("cloudflare/2.ford/a.gz", b"x" * 100)
    _put("cloudflare/2.ford/b.gz", b"x" * 300)
    _put("cloudflare/2.ford/ownership-challenge-1.txt")
    _put("cloudflare/47/c.parquet")
    _commit(done, rows=50)
    plan = _plan(feed="2.ford")
    assert _keys() == [["cloudflare/2.ford/b.gz"]]
    assert (plan.planning.listed, plan.planning.done, plan.planning.done_bytes) == (2, 1, 100)
    assert (plan.estimate.objects, plan.estimate.bytes) == (1, 300)


def test_rows_of_ndjson_follow_from_the_feeds_own_committed_objects() -> None:
    _commit(_put("cloudflare/2.ford/a.gz", b"x" * 100), rows=50)
    _put("cloudflare/2.ford/b.gz", b"x" * 300)
    plan = _plan(feed="2.ford")
    assert plan.planning.measured == Density(rows=50, bytes=100)
    assert plan.estimate.rows == 150
    assert plan.estimate.rows_from == "committed objects with 50 rows"


def test_rows_of_parquet_follow_from_footers() -> None:
    for name in "ab":
        _put(f"cloudflare/47/{name}.parquet", _parquet(1000))
    _put("cloudflare/47/broken.parquet", b"no parquet")
    plan = _plan(feed="47")
    assert plan.planning.sampled.rows == 2000
    assert plan.estimate.rows == pytest.approx(2000, rel=0.01)


def test_object_committed_by_another_transform_is_done() -> None:
    source = _put("cloudflare/2.ford/a.gz")
    Manifests(aws.s3(), LAKE).publish(manifest_of([a_proof(source=source, transform_version="0")]))
    assert _plan(feed="2.ford").planning.done == 1
    assert _keys() == []


def test_object_whose_manifest_lacks_its_ledger_mark_is_not_done() -> None:
    source = _put("cloudflare/2.ford/a.gz")
    feed = Feeds(FEEDS).named("2.ford")
    Manifests(aws.s3(), LAKE).publish(manifest_of([a_proof(source=source, object_id=object_id(source, feed))]))
    assert _plan(feed="2.ford").planning.done == 0


def test_days_are_those_of_dated_folders_and_else_of_last_modified() -> None:
    for key in ("20260601/a.gz", "2026-06-02/b.gz", "20260603/c.gz", "20269999/d.gz", "e.gz"):
        _put(f"cloudflare/2.ford/{key}")
    _plan(feed="2.ford", **{"from": "2026-06-01", "to": "2026-06-02"})
    assert _keys() == [["cloudflare/2.ford/2026-06-02/b.gz", "cloudflare/2.ford/20260601/a.gz"]]
    today = _put("cloudflare/2.ford/f.gz").last_modified.date().isoformat()
    _plan("b2", feed="2.ford", **{"from": today, "to": today})
    assert _keys("b2") == [["cloudflare/2.ford/20269999/d.gz", "cloudflare/2.ford/e.gz", "cloudflare/2.ford/f.gz"]]


def test_prefix_narrows_the_feed() -> None:
    _put("cloudflare/2.ford/1/a.gz")
    _put("cloudflare/2.ford/2/b.gz")
    _plan(feed="2.ford", prefix="cloudflare/2.ford/2/")
    assert _keys() == [["cloudflare/2.ford/2/b.gz"]]


def test_list_is_planned_without_what_is_gone_or_of_no_feed() -> None:
    there = _put("cloudflare/2.ford/a.gz")
    lines = [{"bucket": RAW, "key": key} for key in (there.key, "cloudflare/2.ford/gone.gz", "elsewhere/x")]
    body = "\n".join(map(json.dumps, lines)).encode()
    aws.s3().put_object(Bucket=RUNS, Key="firewall_logs/lists/mine/00000.jsonl", Body=body)
    plan = _plan(list_key="firewall_logs/lists/mine/00000.jsonl")
    assert _keys() == [[there.key]]
    assert plan.planning.ignored == 2


def test_waves_are_cut_by_count_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.backfills.planner._CHUNK", 2)
    monkeypatch.setattr("firewall_logs.backfills.planner.WAVE_OBJECTS", 4)
    monkeypatch.setattr("firewall_logs.backfills.planner.WAVE_BYTES", 1000)
    for number in range(7):
        _put(f"cloudflare/2.ford/{number}.gz", b"x" * (1000 if number == 4 else 10))
    _plan(feed="2.ford")
    assert [[key[-4] for key in wave] for wave in _keys()] == [["0", "1", "2", "3"], ["4"], ["5", "6"]]


def test_listing_that_runs_out_of_time_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.backfills.planner._CHUNK", 2)
    for number in range(5):
        _put(f"cloudflare/2.ford/{number}.gz")
    seen = []
    for _ in range(3):
        result = _call(context=Hurried(), feed="2.ford")
        seen.append((result["planned"], result["listed"]))
    assert seen == [(False, 2), (False, 4), (False, 5)]
    assert _call(feed="2.ford")["planned"]
    assert [len(wave) for wave in _keys()] == [2, 2, 1]


def test_listing_outside_the_range_runs_out_of_time_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firewall_logs.backfills.planner._STRIDE", 3)
    for number in range(7):
        _put(f"cloudflare/2.ford/{number}.gz")
    assert not _call(context=Hurried(), feed="2.ford", to="2020-01-01")["planned"]
    assert _backfills().planning("b1").cursor == "cloudflare/2.ford/2.gz"


def test_plan_that_is_there_stays_though_new_objects_came() -> None:
    _put("cloudflare/2.ford/a.gz")
    first = _plan(feed="2.ford")
    _put("cloudflare/2.ford/b.gz")
    assert _plan(feed="2.ford") == first


def test_only_a_backfill_that_is_meant_puts_its_execution_in_charge() -> None:
    _put("cloudflare/2.ford/a.gz")
    assert _call(feed="2.ford")["dry_run"] is True
    assert _backfills().order("b1") is None
    assert _call("b1-again", resume="b1", max_concurrency=7)["dry_run"] is False
    order = _backfills().order("b1")
    assert order is not None
    assert (order.execution, order.max_usd, order.max_concurrency) == ("b1-again", 10, 7)


def test_limits_of_a_resumed_backfill_are_the_latest_that_were_given() -> None:
    _put("cloudflare/2.ford/a.gz")
    _call(feed="2.ford", dry_run=False, max_usd=1, max_concurrency=3)
    _call("r1", resume="b1", max_usd=2)
    _call("r2", resume="b1")
    order = _backfills().order("b1")
    assert order is not None
    assert (order.execution, order.max_usd, order.max_concurrency) == ("r2", 2, 3)


def test_deleted_object_is_no_part_of_a_plan() -> None:
    aws.s3().delete_object(Bucket=RAW, Key=_put("cloudflare/2.ford/a.gz").key)
    assert _plan(feed="2.ford").planning.listed == 0


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"feed": "x"}, FeedUnknown, "There is no feed 'x'"),
        ({"feed": "2.ford", "prefix": "cloudflare/47/"}, FeedConfigInvalid, "lies outside feed '2.ford'"),
        ({"list_key": "firewall_logs/lists/none.jsonl"}, ListInvalid, "There is no list"),
        ({"resume": "never"}, BackfillUnknown, "There is no backfill never to resume"),
        ({}, ValidationError, "give just one of 'feed', 'list_key' and 'resume'"),
        ({"resume": "b1", "from": "2026-06-01"}, ValidationError, "narrow a feed"),
        ({"feed": "47", "from": "2026-06-02", "to": "2026-06-01"}, ValidationError, "is later than"),
        ({"feed": "47", "max_usd": 0}, ValidationError, "0 is not more than 0"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(wanted: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        _call(**wanted)


def test_name_of_another_backfill_is_refused() -> None:
    _call(feed="2.ford")
    with pytest.raises(EffectConflict):
        _call(feed="47")
