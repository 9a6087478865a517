import io
import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from firewall_logs.adapters.ocsf import OcsfObjects
from firewall_logs.days import ocsf_projection
from firewall_logs.days.contracts import DaySealed
from firewall_logs.handlers.project_ocsf import handler
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.ocsf import problems
from tests.support.small_lake import SmallLake, on

DAY, OTHER = date(2026, 6, 7), date(2026, 6, 8)
PARTITION = "firewall_logs/ocsf/ext/gatehouse_firewall/region=eu-central-1/accountId=external_cloudflare/eventDay="
PLACE = {
    "OCSF_BUCKET": LAKE,
    "OCSF_PREFIX": "firewall_logs/ocsf/",
    "OCSF_SOURCE": "gatehouse_firewall",
    "OCSF_ACCOUNT": "external_cloudflare",
    "OCSF_REGION": "eu-central-1",
}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[SmallLake]:
    with patch.dict("os.environ", PLACE):
        yield SmallLake(tmp_path / "lake")


def _sealed(lake: SmallLake, day: date, *numbers: int) -> DaySealed:
    lake.commit(f"object-{numbers}", [on(day, number) for number in numbers])
    announced = lake.seal(day)
    for path in lake.folder.rglob("*"):
        if path.is_file():
            aws.s3().put_object(Bucket=LAKE, Key=str(path.relative_to(lake.folder)), Body=path.read_bytes())
    return announced


def _deliver(*announced: DaySealed) -> Any:
    records = []
    for number, detail in enumerate(announced):
        envelope = {
            "source": "gatehouse.firewall_logs",
            "detail-type": "firewall_logs.DaySealed",
            "detail": detail.model_dump(mode="json"),
        }
        records.append({"messageId": str(number), "eventSource": "aws:sqs", "body": json.dumps(envelope)})
    return handler({"Records": records}, Context())


def _dataset() -> dict[str, bytes]:
    listed = aws.s3().list_objects_v2(Bucket=LAKE, Prefix="firewall_logs/ocsf/").get("Contents", [])
    return {each["Key"]: aws.s3().get_object(Bucket=LAKE, Key=each["Key"])["Body"].read() for each in listed}


def _events() -> list[dict[str, Any]]:
    return [event for body in _dataset().values() for event in pl.read_parquet(io.BytesIO(body)).to_dicts()]


def test_a_sealed_day_becomes_valid_events_in_the_layout_of_security_lake(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = _deliver(_sealed(lake, DAY, 1, 2, 3))

    assert answer == {"batchItemFailures": []}
    [key] = _dataset()
    assert key.startswith(f"{PARTITION}20260607/v00001-")
    assert sorted(event["http_request"]["uid"] for event in _events()) == [f"{number:016x}" for number in (1, 2, 3)]
    assert not [problem for event in _events() for problem in problems(event)]
    assert emitted(capsys.readouterr().out)["OcsfObjectsWritten"] == 1


def test_a_new_version_takes_the_place_of_the_one_before(lake: SmallLake) -> None:
    _deliver(_sealed(lake, DAY, 1))
    _deliver(_sealed(lake, OTHER, 2))
    _deliver(_sealed(lake, DAY, 3, 4))

    assert [key.rpartition("/")[2][:6] for key in sorted(_dataset())] == ["v00002", "v00001"]
    assert len(_events()) == 4


def test_a_version_that_comes_twice_or_late_changes_nothing(lake: SmallLake) -> None:
    first, second = _sealed(lake, DAY, 1), _sealed(lake, DAY, 2)
    _deliver(second)
    before = _dataset()
    _deliver(first)
    _deliver(second, first)

    assert _dataset() == before


@pytest.mark.parametrize("effects", range(4))
def test_a_call_that_dies_between_effects_is_finished_by_the_next(
    lake: SmallLake, effects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocsf_projection, "_OBJECT_ROWS", 2)
    _deliver(_sealed(lake, DAY, 1))
    announced = _sealed(lake, DAY, 2, 3, 4)
    done: list[str] = []

    def dying(method: Any) -> Any:
        def act(*arguments: Any) -> Any:
            if len(done) == effects:
                raise MemoryError("killed")
            done.append(method.__name__)
            return method(*arguments)

        return act

    with monkeypatch.context() as killed:
        for name in ("put", "remove"):
            killed.setattr(OcsfObjects, name, dying(getattr(OcsfObjects, name)))
        with pytest.raises(BatchProcessingError, match="killed") if effects < 3 else nullcontext():
            _deliver(announced)
    _deliver(announced)

    assert {key.rpartition("/")[2][:6] for key in _dataset()} == {"v00002"}
    assert len(_events()) == 4


def test_an_earlier_version_that_ends_last_removes_itself(lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _sealed(lake, DAY, 1)
    put = OcsfObjects.put
    later: list[DaySealed] = []

    def overtaken(objects: OcsfObjects, key: str, path: Path) -> None:
        put(objects, key, path)
        if not later:
            later.append(_sealed(lake, DAY, 2))
            _deliver(*later)
            put(objects, key, path)

    monkeypatch.setattr(OcsfObjects, "put", overtaken)
    _deliver(first)

    assert {key.rpartition("/")[2][:6] for key in _dataset()} == {"v00002"}


def test_what_others_put_there_stays(lake: SmallLake) -> None:
    aws.s3().put_object(Bucket=LAKE, Key=f"{PARTITION}20260607/theirs.parquet", Body=b"")
    _deliver(_sealed(lake, DAY, 1))

    assert len(_dataset()) == 2


def test_a_day_that_cannot_be_read_comes_again_alone(lake: SmallLake) -> None:
    good, bad = _sealed(lake, DAY, 1), _sealed(lake, OTHER, 2)
    files = lake.newest(OTHER)
    assert files is not None
    aws.s3().put_object(Bucket=LAKE, Key=files.files[0].key, Body=b"other")

    assert _deliver(good, bad) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert len(_events()) == 1


def test_the_same_rows_give_the_same_bytes(lake: SmallLake) -> None:
    announced = _sealed(lake, DAY, *range(50))
    _deliver(announced)
    before = _dataset()
    for key in before:
        aws.s3().delete_object(Bucket=LAKE, Key=key)
    _deliver(announced)

    assert _dataset() == before
