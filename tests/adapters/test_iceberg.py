"""The Iceberg table of events, in pyiceberg's own SQL catalogue over local files."""

from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table, Transaction

from firewall_logs import schema
from firewall_logs.adapters.iceberg import IcebergEvents
from firewall_logs.days.contracts import SealedDay
from firewall_logs.errors import LakeFileDamaged, TableBusy
from tests.support.iceberg_lake import DAY, OTHER, build

pytestmark = pytest.mark.pyarrow

NAME = "gatehouse.events"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[SealedDay, SealedDay, SealedDay]]:
    folder = tmp_path_factory.mktemp("iceberg") / "lake"
    return folder, build(folder)


@pytest.fixture
def catalogue(tmp_path: Path) -> dict[str, str]:
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalogue.db", "warehouse": f"file://{tmp_path}/tables"}
    opened = load_catalog("gatehouse", **properties)
    opened.create_namespace("gatehouse")
    return properties


@pytest.fixture
def versions(sealed: tuple[Path, tuple[SealedDay, SealedDay, SealedDay]]) -> tuple[SealedDay, SealedDay, SealedDay]:
    return sealed[1]


@pytest.fixture
def events(sealed: tuple[Path, Any], catalogue: dict[str, str], tmp_path: Path) -> IcebergEvents:
    # Tables lie below the root: each test has a link of its own to the lake.
    root = tmp_path / "root"
    root.mkdir()
    (root / "firewall_logs").mkdir()
    (root / "firewall_logs/sealed").symlink_to(sealed[0] / "firewall_logs/sealed")
    return IcebergEvents(catalogue, NAME, f"file://{root}")


def _table(catalogue: dict[str, str]) -> Table:
    opened: Catalog = load_catalog("gatehouse", **catalogue)
    return opened.load_table(NAME)


def _rows(catalogue: dict[str, str]) -> list[str]:
    found = _table(catalogue).scan(selected_fields=("ray_id",)).to_arrow()
    return sorted(str(int(ray, 16)) for ray in found["ray_id"].to_pylist())


def test_the_table_has_the_columns_of_the_lake_by_day_and_in_its_order(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any
) -> None:
    assert events.commit(versions[0])
    table = _table(catalogue)

    assert [field.name for field in table.schema().fields] == list(schema.EVENTS)
    assert [str(field) for field in table.spec().fields] == ["1000: event_date: day(26)"]
    assert len(table.sort_order().fields) == 2
    assert _rows(catalogue) == ["1", "2", "23"]


def test_every_column_is_read_back(events: IcebergEvents, catalogue: dict[str, str], versions: Any) -> None:
    events.commit(versions[0])
    row = _table(catalogue).scan(row_filter="ray_id = '0000000000000001'").to_arrow().to_pylist()[0]

    assert row["event_time"].isoformat() == "2026-06-07T01:00:00+00:00"
    assert (row["client_request_host"], row["event_hour"], row["edge_response_status"]) == ("shop.example.com", 1, 403)
    assert row["ai_security_pii_categories"] == ["a", None]


def test_a_new_version_replaces_the_day_and_no_other(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any
) -> None:
    first, second, other = versions
    for sealed in (first, other, second):
        assert events.commit(sealed)

    assert _rows(catalogue) == ["1", "2", "23", "4", "5", "6"]
    files = {file["file_path"] for file in _table(catalogue).inspect.files().to_pylist()}
    assert {path.rpartition("/")[2] for path in files} == {
        file.key.rpartition("/")[2] for sealed in (second, other) for file in sealed.files if file.kind == "events"
    }


def test_a_version_is_replaced_without_rewriting_rows(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any, tmp_path: Path
) -> None:
    events.commit(versions[0])
    events.commit(versions[1])

    assert not list((tmp_path / "root/firewall_logs/iceberg").rglob("*.parquet"))
    assert _table(catalogue).current_snapshot().summary["gatehouse.version"] == "2"  # type: ignore[union-attr,index]


def test_a_version_that_comes_again_or_too_late_changes_nothing(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any
) -> None:
    first, second, _ = versions
    events.commit(first)
    events.commit(second)
    before = _table(catalogue).metadata_location

    assert [events.commit(sealed) for sealed in (second, first, second)] == [False, False, False]
    assert _table(catalogue).metadata_location == before


def test_a_commit_that_was_made_but_not_acknowledged_is_not_repeated(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Transaction.commit_transaction

    def dies_after(change: Transaction) -> Table:
        commit(change)
        raise MemoryError("killed")

    with monkeypatch.context() as killed:
        killed.setattr(Transaction, "commit_transaction", dies_after)
        with pytest.raises(MemoryError):
            events.commit(versions[0])

    assert events.commit(versions[0]) is False
    assert _rows(catalogue) == ["1", "2", "23"]


@pytest.mark.parametrize("race", [(0, 0), (0, 1), (1, 0), (0, 2)])
def test_two_committers_leave_what_one_after_the_other_would(
    events: IcebergEvents,
    catalogue: dict[str, str],
    versions: Any,
    monkeypatch: pytest.MonkeyPatch,
    race: tuple[int, int],
) -> None:
    mine, theirs = race
    commit = Transaction.commit_transaction
    raced: list[bool] = []

    def overtaken(change: Transaction) -> Table:
        if not raced:
            raced.append(True)
            events.commit(versions[theirs])
        return commit(change)

    monkeypatch.setattr(Transaction, "commit_transaction", overtaken)
    events.commit(versions[mine])

    wanted = {(0, 0): ["1", "2", "23"], (0, 2): ["1", "2", "23", "4"]}
    assert _rows(catalogue) == wanted.get(race, ["1", "2", "23", "5", "6"])


def test_a_table_that_never_rests_is_an_error(
    events: IcebergEvents, versions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Transaction) -> Table:
        raise CommitFailedException("changed")

    monkeypatch.setattr(Transaction, "commit_transaction", refused)

    with pytest.raises(TableBusy, match=r"gatehouse\.events was changed by others"):
        events.commit(versions[0])


def test_a_file_of_another_day_is_refused_before_anything_is_committed(
    events: IcebergEvents, catalogue: dict[str, str], versions: Any
) -> None:
    wrong = versions[0].model_copy(update={"event_date": OTHER})

    with pytest.raises(LakeFileDamaged, match="3 events of 2026-06-08"):
        events.commit(wrong)
    assert _rows(catalogue) == []


def test_a_day_without_events_empties_it(events: IcebergEvents, catalogue: dict[str, str], versions: Any) -> None:
    events.commit(versions[0])
    empty = versions[1].model_copy(update={"files": []})

    assert events.commit(empty)
    assert _rows(catalogue) == []
    assert IcebergEvents.version(_table(catalogue), DAY) == 2
