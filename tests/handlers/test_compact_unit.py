import json
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from firewall_logs.adapters.seals import CompactionReceiptBook
from firewall_logs.days.contracts import CompactionReceipt, Cut, Place, PlannedInput
from firewall_logs.errors import CutMismatch, InputGone, InputUnsorted, PlanMissing
from firewall_logs.handlers.compact_unit import handler
from firewall_logs.locations import compaction_key, seal_key, sealed_key
from kernel import aws
from kernel.errors import EffectConflict
from tests.support.aws import LAKE, RUNS
from tests.support.context import Context
from tests.support.firewall_compaction import a_row, cuts_of, events_file, planned_input, rows_of
from tests.support.firewall_days import DAY, INPUTS_ID, SEAL_ID, a_unit
from tests.support.metrics import emitted
from tests.support.seal import SEALED_KINDS

UNIT = a_unit().model_dump(mode="json")
EVENTS, HOURLY = (sealed_key(kind, DAY, INPUTS_ID, 0) for kind in ("events", "hourly"))


@pytest.fixture
def inputs(tmp_path: Path) -> list[PlannedInput]:
    """Leave two files of events in the lake that share a row."""
    files = []
    for number in range(2):
        rows = [
            a_row(60 * n, ray_id=f"{n}", client_request_host=f"h{n % 3}") for n in range(9 * number, 9 * number + 10)
        ]
        path = events_file(tmp_path / str(number), rows)
        files.append(planned_input(path, f"firewall_logs/events/{number}.parquet"))
        aws.s3().put_object(Bucket=LAKE, Key=files[-1].key, Body=path.read_bytes())
    return files


def _plan(inputs: list[PlannedInput], seal_id: str = SEAL_ID) -> None:
    body = "\n".join(file.model_dump_json() for file in inputs).encode()
    aws.s3().put_object(Bucket=RUNS, Key=seal_key(seal_id, "inputs.jsonl"), Body=body)


def _unit(cut: Cut, index: int = 0) -> dict[str, Any]:
    return a_unit(cut=cut, index=index).model_dump(mode="json")


def _receipt(seal_id: str = SEAL_ID) -> CompactionReceipt:
    body = aws.s3().get_object(Bucket=RUNS, Key=compaction_key(seal_id, 0))["Body"].read()
    return CompactionReceipt.model_validate_json(body)


def _sealed() -> dict[str, bytes]:
    listed = aws.s3().list_objects_v2(Bucket=LAKE, Prefix="firewall_logs/sealed/").get("Contents", [])
    keys = [found["Key"] for found in listed]
    return {key: aws.s3().get_object(Bucket=LAKE, Key=key)["Body"].read() for key in keys}


def _look_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the look before the work find nothing, as if a faster attempt wrote its receipt meanwhile."""
    looks = iter([True])
    read = CompactionReceiptBook.read

    def late(book: CompactionReceiptBook, seal_id: str, index: int) -> CompactionReceipt | None:
        return None if next(looks, False) else read(book, seal_id, index)

    monkeypatch.setattr(CompactionReceiptBook, "read", late)


def test_cut_becomes_a_file_of_each_table_and_a_receipt_that_names_them(
    inputs: list[PlannedInput], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _plan(inputs)
    assert handler(UNIT, Context()) == {"index": 0, "rows_in": 20, "rows_out": 19, "duplicates": 1}
    assert emitted(capsys.readouterr().out) == {"CutsCompacted": 1}
    receipt = _receipt()
    assert [(file.kind, file.key, file.event_date) for file in receipt.proof.files] == [
        (kind, sealed_key(kind, DAY, INPUTS_ID, 0), DAY) for kind in SEALED_KINDS
    ]
    events = tmp_path / "events"
    events.write_bytes(_sealed()[EVENTS])
    assert len(rows_of(events)) == receipt.proof.files[0].rows == 19
    assert receipt.proof.profiles["47"].duplicates == 1
    measured = receipt.measured
    assert (measured.seal_id, measured.memory_mb, measured.s3_gets, measured.s3_puts) == (SEAL_ID, 4096, 4, 5)
    # All but the magic at the beginning.
    assert measured.bytes_read == sum(file.bytes - 4 for file in inputs)


def test_cuts_of_a_plan_are_told_apart(inputs: list[PlannedInput], tmp_path: Path) -> None:
    rows = [a_row(60 * n, client_request_host=f"h{n % 3}") for n in [*range(10), *range(9, 19)]]
    made = cuts_of(rows, 8)
    assert len(made) == 3
    _plan(inputs)
    results = [handler(_unit(cut, index), Context()) for index, cut in enumerate(made)]
    assert [result["rows_in"] for result in results] == [cut.rows for cut in made]
    assert sum(result["rows_out"] for result in results) == 19
    assert len(_sealed()) == 3 * len(SEALED_KINDS)


def test_finished_cut_is_not_read_again(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    first = handler(UNIT, Context())
    receipt, sealed = _receipt(), _sealed()
    aws.s3().delete_object(Bucket=LAKE, Key=inputs[0].key)
    assert handler(UNIT, Context()) == first
    assert (_receipt(), _sealed()) == (receipt, sealed)


def test_another_seal_of_the_same_inputs_finds_the_files_and_proves_the_same(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    _plan(inputs, seal_id="seal-2")
    handler(UNIT, Context())
    sealed = _sealed()
    handler(UNIT | {"seal_id": "seal-2"}, Context())
    assert _sealed() == sealed
    assert _receipt("seal-2").proof == _receipt().proof
    assert _receipt("seal-2").measured.seal_id == "seal-2"


def test_rows_that_were_not_counted_stop_the_cut_before_anything_is_written(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    with pytest.raises(CutMismatch, match=r"Cut 0 of 2026-06-01 \(seal-1\) has 20 events where .* say 21\."):
        handler(_unit(Cut(start=None, end=None, rows=21)), Context())
    assert not _sealed()


def test_input_that_another_seal_removed_is_named(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    aws.s3().delete_object(Bucket=LAKE, Key=inputs[1].key)
    with pytest.raises(InputGone, match=r"events/1\.parquet is not there any more: another seal"):
        handler(UNIT, Context())
    assert not _sealed()


def test_input_in_another_order_is_named_and_the_fetching_of_the_others_ends(
    inputs: list[PlannedInput], tmp_path: Path
) -> None:
    [path] = (tmp_path / "0").rglob("events/*/*.parquet")
    pl.read_parquet(path, hive_partitioning=False)[[*range(1, 10), 0]].write_parquet(path)
    forged = planned_input(path, "firewall_logs/events/forged.parquet")
    aws.s3().put_object(Bucket=LAKE, Key=forged.key, Body=path.read_bytes())
    _plan([forged, *inputs * 20])
    with pytest.raises(InputUnsorted, match=r"firewall_logs/events/forged\.parquet is not sorted"):
        handler(_unit(Cut(start=None, end=Place(host="h1", hour=0), rows=4)), Context())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_other_content_under_a_sealed_key_is_refused(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    aws.s3().put_object(Bucket=LAKE, Key=HOURLY, Body=b"forged")
    with pytest.raises(EffectConflict):
        handler(UNIT, Context())


def test_receipt_that_proves_something_else_is_refused(
    inputs: list[PlannedInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    _plan(inputs)
    handler(UNIT, Context())
    other = json.loads(_receipt().model_dump_json())
    other["proof"] |= {"rows_in": 19, "rows_out": 18}
    aws.s3().put_object(Bucket=RUNS, Key=compaction_key(SEAL_ID, 0), Body=json.dumps(other).encode())
    _look_too_early(monkeypatch)
    with pytest.raises(EffectConflict):
        handler(UNIT, Context())


def test_receipt_of_a_faster_attempt_stands(inputs: list[PlannedInput], monkeypatch: pytest.MonkeyPatch) -> None:
    _plan(inputs)
    handler(UNIT, Context())
    faster = _receipt()
    _look_too_early(monkeypatch)
    assert handler(UNIT, Context())["rows_out"] == 19
    assert _receipt() == faster


def test_day_between_two_places_is_read_from_there_to_there(inputs: list[PlannedInput]) -> None:
    _plan(inputs)
    between = Cut(start=Place(host="h1", hour=0), end=Place(host="h2", hour=0), rows=6)
    assert handler(_unit(between), Context())["rows_in"] == 6


def test_hour_of_a_host_is_divided_by_the_second(inputs: list[PlannedInput], tmp_path: Path) -> None:
    _plan(inputs)
    rows = [row for number in range(2) for row in rows_of(next((tmp_path / str(number)).rglob("events/*/*.parquet")))]
    made = cuts_of(rows, 3, by_second=True)
    assert len({(cut.start.host, cut.start.hour) for cut in made if cut.start}) < len(made) / 2
    results = [handler(_unit(cut, index), Context()) for index, cut in enumerate(made)]
    assert [result["rows_in"] for result in results] == [cut.rows for cut in made]
    # Equal rows have one instant, and so one cut.
    assert (sum(r["rows_in"] for r in results), sum(r["duplicates"] for r in results)) == (20, 1)
    assert all(result["rows_in"] <= 3 for result in results)


def test_seal_without_plan_is_refused() -> None:
    with pytest.raises(PlanMissing, match=r"Seal seal-1 has no inputs\.jsonl"):
        handler(UNIT, Context())
