import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest

from firewall_logs.adapters.days import DayIndex, DayReader, DaySeals
from firewall_logs.adapters.lake import Manifests
from firewall_logs.adapters.ledger import LedgerClaims
from firewall_logs.adapters.runs import Evidence, Plans, ReceiptBook
from firewall_logs.adapters.sealed import SealedWriter
from firewall_logs.committer import manifest_of
from firewall_logs.contracts import Account, Disagreement, Drift, Omitted, Proof, ReconciledObject, Reconciliation
from firewall_logs.days.contracts import SealedDay
from firewall_logs.errors import CommitRefused, PlanMissing
from firewall_logs.handlers.commit_run import handler
from firewall_logs.identity import source_id
from firewall_logs.locations import manifest_key, receipt_key
from kernel import aws
from kernel.metering import Taken
from tests.support.aws import BUS, DAYS, LAKE, LEDGER, RUNS, entry
from tests.support.context import Context
from tests.support.firewall import (
    NOW,
    OBJECT_ID,
    RUN_ID,
    a_file,
    a_plan,
    a_planned_object,
    a_proof,
    a_receipt,
    a_source,
)
from tests.support.metrics import emitted

DOUBTED_ID = "f" * 32
STEP = {"run_id": RUN_ID}
MANIFEST = manifest_key(source_id(a_source()))


def _reconciled(proof: Proof, *, reconciled: bool) -> ReconciledObject:
    return ReconciledObject(
        object_id=proof.object_id,
        feed=proof.feed,
        key=proof.source.key,
        account=proof.account,
        footer_rows=8,
        files=len(proof.files),
        reconciled=reconciled,
    )


@pytest.fixture
def run() -> None:
    """Leave a run with two objects: one whose witnesses agree, one whose do not."""
    agreed = a_proof(
        files=[a_file()],
        drift=Drift(columns={"New": 3}, values={"Action": {"odd": 2, "odder": 1}}, time_forms={"unix": 10}),
    )
    doubted = a_proof(object_id=DOUBTED_ID, source=a_source(key="cloudflare/47/b"))
    objects = [a_planned_object(), a_planned_object(object_id=DOUBTED_ID), a_planned_object(status="ignored")]
    plan = a_plan(*objects)
    Plans(aws.s3(), RUNS).write(plan, [])
    for proof in (agreed, doubted):
        LedgerClaims(aws.dynamodb(), LEDGER).claim(proof.object_id, proof.source, RUN_ID, now=NOW, lease_seconds=60)
        ReceiptBook(aws.s3(), RUNS).write(a_receipt(proof))
    Evidence(aws.s3(), RUNS).write_reconciliation(
        Reconciliation(
            run_id=RUN_ID,
            reconciled_at=NOW,
            account=agreed.account + doubted.account,
            footer_rows=16,
            objects=[_reconciled(agreed, reconciled=True), _reconciled(doubted, reconciled=False)],
            disagreements=[
                Disagreement(object_id=DOUBTED_ID, check="rows_out", expected="8", found="7", where="somewhere")
            ],
        )
    )


def _document(bucket: str, key: str) -> Any:
    return json.loads(aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read())


def test_only_what_reconciled_is_published(run: None) -> None:
    result = handler(STEP, Context())
    assert result["objects_committed"] == 1
    manifests = aws.s3().list_objects_v2(Bucket=LAKE, Prefix="firewall_logs/manifests/")["Contents"]
    assert [found["Key"] for found in manifests] == [MANIFEST]
    assert (entry(OBJECT_ID)["state"], entry(DOUBTED_ID)["state"]) == ("COMMITTED", "CLAIMED")


def test_manifest_names_files_account_and_drift(run: None) -> None:
    handler(STEP, Context())
    manifest = _document(LAKE, MANIFEST)
    assert [file["key"] for file in manifest["files"]] == ["k"]
    assert manifest["account"] == {"rows_in": 10, "rows_out": 8, "quarantined": 1, "duplicates": 1}
    assert manifest["drift"]["values"] == {"Action": {"odd": 2, "odder": 1}}


def test_summary_speaks_of_what_was_committed(run: None) -> None:
    result = handler(STEP, Context())
    summary = _document(RUNS, result["summary_key"])
    assert (summary["objects"], summary["objects_committed"], summary["objects_skipped"]) == (3, 1, 1)
    assert (summary["reconciled"], summary["account"]["rows_in"]) == (False, 10)
    assert summary["rows_per_second"] == 10 / 2.0
    assert summary["usd"] == pytest.approx(sum(summary["usd_by_component"].values()))
    assert summary["usd_per_million_rows"] == pytest.approx(summary["usd"] * 1e5)


def test_price_is_made_of_slices_and_of_what_each_step_measured(run: None) -> None:
    plans, evidence = Plans(aws.s3(), RUNS), Evidence(aws.s3(), RUNS)
    plan, verdict = plans.read(RUN_ID), evidence.read_reconciliation(RUN_ID)
    assert plan is not None
    planning = Taken(memory_mb=1024, seconds=600, requests={"s3.HeadObject": 5_000, "dynamodb.UpdateItem": 7_000})
    plans.write(plan.model_copy(update={"taken": planning}), [])
    reconciling = Taken(memory_mb=2048, seconds=900, requests={"s3.ListObjectsV2": 3_000, "dynamodb.BatchGetItem": 400})
    evidence.write_reconciliation(verdict.model_copy(update={"taken": reconciling}))

    usd = _document(RUNS, handler(STEP, Context())["summary_key"])["usd_by_component"]

    # Of ProcessUnit 2 s with 4 GB; what CommitRun itself takes is a matter of milliseconds.
    assert usd["lambda_compute"] == pytest.approx((600 + 2 * 900 + 4 * 2) * 0.0000133334, rel=0.01)
    assert usd["lambda_storage"] == pytest.approx(2.0 * 3.5 * 0.0000000309)
    assert usd["lambda_requests"] == pytest.approx(4 * 2e-7)
    assert usd["step_functions"] == pytest.approx((8 + 2) * 0.000025)
    # CommitRun itself: plan, reconciliation and receipt read, a manifest written, the ledger marked.
    assert usd["s3_gets"] == pytest.approx((5_000 + 2 + 3 + 1) * 0.0000004)
    assert usd["s3_puts"] == pytest.approx((4 + 1 + 7) * 0.000005)
    assert usd["s3_lists"] == pytest.approx(3_000 * 0.000005)
    # Its day index: an item, and the try to reopen the day.
    assert usd["dynamodb_writes"] == pytest.approx((7_000 + 2 + 1 + 2) * 0.625e-6)
    assert usd["dynamodb_reads"] == pytest.approx(400 * 0.125e-6)
    # 1,500 s and a little: six times five minutes.
    assert usd["kms"] == pytest.approx(6 * 24 * 0.000003)
    assert usd["eventbridge"] == pytest.approx(0.000001)


def test_slices_of_tasks_cost_processors_and_memory_and_no_disk(run: None) -> None:
    receipt = a_receipt(a_proof(files=[a_file()]), vcpus=4.0, memory_mb=8192)
    aws.s3().put_object(Bucket=RUNS, Key=receipt_key(OBJECT_ID, 0), Body=receipt.model_dump_json().encode())
    usd = _document(RUNS, handler(STEP, Context())["summary_key"])["usd_by_component"]
    assert usd["fargate_vcpus"] == pytest.approx(4 * 2.0 * 0.03238 / 3600)
    assert usd["fargate_memory"] == pytest.approx(8 * 2.0 * 0.00356 / 3600)
    assert "lambda_storage" not in usd
    # What is left of functions is CommitRun itself.
    assert usd["lambda_compute"] < 4 * 60 * 0.0000133334


def test_old_prices_are_told_in_the_log(run: None, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    monkeypatch.setattr("firewall_logs.handlers.commit_run.prices.problems", lambda today: [f"too old on {today}"])
    before = datetime.now(UTC).date()
    handler(STEP, Context())
    [told] = [record.problem for record in caplog.records if record.levelname == "WARNING"]  # type: ignore[attr-defined]
    # Midnight may have come meanwhile.
    assert told in {f"too old on {today}" for today in (before, datetime.now(UTC).date())}


def test_slice_made_on_fargate_costs_processors_and_memory_and_no_function(run: None) -> None:
    aws.s3().delete_object(Bucket=RUNS, Key=receipt_key(OBJECT_ID, 0))
    ReceiptBook(aws.s3(), RUNS).write(a_receipt(a_proof(files=[a_file()]), memory_mb=30720, vcpus=4))
    costs = _document(RUNS, handler(STEP, Context())["summary_key"])["usd_by_component"]
    assert costs["fargate_vcpus"] == pytest.approx(4 * 2.0 / 3600 * 0.03238)
    assert costs["fargate_memory"] == pytest.approx(30 * 2.0 / 3600 * 0.00356)
    # Only what CommitRun itself takes, which is a matter of milliseconds.
    assert costs["lambda_compute"] < 0.0001


def test_metrics_tell_counts_lag_and_cost(run: None, capsys: pytest.CaptureFixture[str]) -> None:
    handler(STEP, Context())
    told = emitted(capsys.readouterr().out)
    lag = (datetime.now(UTC) - a_source().last_modified).total_seconds()
    assert told.pop("ObjectLag") == pytest.approx(lag, abs=60)
    assert told.pop("UsdEstimated") > 0
    assert told.pop("UsdPerMillionRows") > 0
    assert told == {
        "ObjectsCommitted": 1,
        "ObjectsQuarantined": 0,
        "RowsRead": 10,
        "RowsWritten": 8,
        "RowsQuarantined": 1,
        "RowsDuplicated": 1,
        "ColumnsDrifted": 1,
        "ValuesDrifted": 2,
        "BytesRead": 1000,
        "BytesWritten": 80,
        "RowsPerSecond": 5,
        "DaysReopened": 0,
    }


def test_metrics_count_names_that_are_left_out(run: None, capsys: pytest.CaptureFixture[str]) -> None:
    drift = Drift(
        columns={"New": 1},
        columns_omitted=Omitted(names=7, rows=9),
        values={"Action": {"odd": 1}, "Source": {"odd": 1}},
        values_omitted={"Action": Omitted(names=5, rows=6)},
    )
    aws.s3().put_object(
        Bucket=RUNS, Key=receipt_key(OBJECT_ID, 0), Body=a_receipt(a_proof(drift=drift)).model_dump_json().encode()
    )
    handler(STEP, Context())
    told = emitted(capsys.readouterr().out)
    assert (told["ColumnsDrifted"], told["ValuesDrifted"]) == (8, 7)


def _listen(detail_type: str) -> Callable[[], list[Any]]:
    """Return what yields the details of events that came since."""
    sqs, events = boto3.client("sqs"), aws.events()
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"detail-type": [detail_type]}
    events.put_rule(Name="r", EventBusName=BUS, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="r", EventBusName=BUS, Targets=[{"Id": "t", "Arn": arn}])
    return lambda: [
        json.loads(message["Body"])["detail"] for message in sqs.receive_message(QueueUrl=queue).get("Messages", [])
    ]


def test_others_are_told_what_was_committed(run: None) -> None:
    told = _listen("firewall_logs.RunCommitted")
    result = handler(STEP, Context())
    assert told() == [result]


def _day() -> date:
    day = a_file().event_date
    assert day is not None
    return day


def _sealed(version: int = 1, objects: list[str] | None = None) -> SealedDay:
    account = Account(rows_in=5, rows_out=5)
    return SealedDay(
        event_date=_day(),
        version=version,
        seal_id="seal-1",
        as_of=NOW,
        transform_versions=[],
        objects=objects or [],
        account=account,
        rows={"47": 5},
        arrivals={},
        files=[],
        replaced=[],
        quality=[],
    )


def test_day_index_knows_what_was_committed_and_no_more(run: None) -> None:
    handler(STEP, Context())
    [found] = DayReader(aws.dynamodb(), DAYS).objects(_day())
    assert (found.object_id, found.rows, found.source_id) == (OBJECT_ID, 8, source_id(a_source()))
    assert [day.status for day in DayReader(aws.dynamodb(), DAYS).all()] == ["OPEN"]


def test_object_that_comes_after_the_seal_reopens_its_day(run: None, capsys: pytest.CaptureFixture[str]) -> None:
    DaySeals(aws.dynamodb(), DAYS).sealed(_sealed())
    handler(STEP, Context())
    assert emitted(capsys.readouterr().out)["DaysReopened"] == 1
    day = DayReader(aws.dynamodb(), DAYS).state(_day())
    assert (day.status, day.version, day.rows) == ("REOPENED", 1, {"47": 5})
    # An attempt that was killed before it could tell tells it when it comes again; another run does not.
    handler(STEP, Context())
    assert emitted(capsys.readouterr().out)["DaysReopened"] == 1
    assert DayIndex(aws.dynamodb(), DAYS).reopen(_day(), "run-2", 1) is False


def _seal(document: SealedDay) -> None:
    SealedWriter(aws.s3(), LAKE).commit(document)
    DaySeals(aws.dynamodb(), DAYS).sealed(document)


def test_commit_that_is_retried_after_a_seal_took_its_object_in_reopens_nothing(
    run: None, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(STEP, Context())
    _seal(_sealed(objects=[OBJECT_ID]))
    capsys.readouterr()
    handler(STEP, Context())
    assert emitted(capsys.readouterr().out)["DaysReopened"] == 0
    assert DayReader(aws.dynamodb(), DAYS).state(_day()).status == "SEALED"


def test_version_that_was_sealed_after_it_was_looked_at_is_not_reopened(run: None) -> None:
    _seal(_sealed())
    index = DayIndex(aws.dynamodb(), DAYS)
    looked_at = index.open(_day()).version
    _seal(_sealed(2, [OBJECT_ID]))
    assert index.reopen(_day(), RUN_ID, looked_at) is False
    assert DayReader(aws.dynamodb(), DAYS).state(_day()).status == "SEALED"


def test_only_what_the_version_lacks_is_told_to_have_reopened_the_day(run: None) -> None:
    _seal(_sealed(objects=["e" * 32]))
    told = _listen("firewall_logs.DayReopened")
    handler(STEP, Context())
    [event] = told()
    assert (event["version"], event["objects"], event["rows"]) == (1, 1, 8)


def test_committing_twice_changes_nothing(run: None) -> None:
    first = handler(STEP, Context())
    manifest = _document(LAKE, MANIFEST)
    # Its price is that of the attempt: what the first one took, nobody wrote down.
    assert handler(STEP, Context()) | {"usd": first["usd"]} == first
    assert _document(LAKE, MANIFEST) == manifest


@pytest.fixture
def agreed(run: None) -> list[str]:
    """Leave a run of many objects whose witnesses all agree, and return their ids."""
    proofs = [
        a_proof(object_id=f"{number:032x}", source=a_source(key=f"cloudflare/47/{number}")) for number in range(12)
    ]
    Plans(aws.s3(), RUNS).write(a_plan(*(a_planned_object(object_id=proof.object_id) for proof in proofs)), [])
    for proof in proofs:
        LedgerClaims(aws.dynamodb(), LEDGER).claim(proof.object_id, proof.source, RUN_ID, now=NOW, lease_seconds=60)
        ReceiptBook(aws.s3(), RUNS).write(a_receipt(proof))
    Evidence(aws.s3(), RUNS).write_reconciliation(
        Reconciliation(
            run_id=RUN_ID,
            reconciled_at=NOW,
            account=proofs[0].account,
            footer_rows=8,
            objects=[_reconciled(proof, reconciled=True) for proof in proofs],
            disagreements=[],
        )
    )
    return [proof.object_id for proof in proofs]


def _take_over(object_id: str) -> None:
    aws.dynamodb().update_item(
        TableName=LEDGER,
        Key={"object_id": {"S": object_id}},
        UpdateExpression="SET epoch = :two, #owner = :other",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":two": {"N": "2"}, ":other": {"S": "run-2"}},
    )


def test_objects_that_were_refused_do_not_hold_up_the_others(
    agreed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lost, forged, *others = agreed
    _take_over(lost)
    proof = a_proof(object_id=forged, source=a_source(key="cloudflare/47/1"), blank_lines=1, transform_version="0")
    Manifests(aws.s3(), LAKE).publish(manifest_of([proof]))
    reason = f"Object {lost} cannot be committed: the ledger says CLAIMED by run run-2 under epoch 2."
    with pytest.raises(CommitRefused) as refused:
        handler(STEP, Context())
    assert str(refused.value).startswith(f"10 objects were committed, 2 were not. {lost}: {reason} {forged}: s3://lake")
    assert {str(entry(object_id)["state"]) for object_id in others} == {"COMMITTED"}
    assert {str(entry(object_id)["state"]) for object_id in (lost, forged)} == {"CLAIMED"}
    summary = _document(RUNS, f"firewall_logs/runs/{RUN_ID}/summary.json")
    assert (summary["objects"], summary["objects_committed"], summary["account"]["rows_in"]) == (12, 10, 100)
    assert summary["objects_refused"].keys() == {lost, forged}
    assert summary["objects_refused"][lost] == reason
    assert emitted(capsys.readouterr().out)["ObjectsCommitted"] == 10


def test_many_refusals_are_all_in_the_summary_and_some_in_the_error(agreed: list[str]) -> None:
    for object_id in agreed:
        _take_over(object_id)
    with pytest.raises(CommitRefused, match=r"summary\.json names the other 2\.$"):
        handler(STEP, Context())
    assert _document(RUNS, f"firewall_logs/runs/{RUN_ID}/summary.json")["objects_refused"].keys() == set(agreed)


def test_run_without_plan_is_refused() -> None:
    with pytest.raises(PlanMissing, match="PlanRun comes before CommitRun"):
        handler(STEP, Context())
