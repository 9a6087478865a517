import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from firewall_logs.adapters.iceberg import IcebergEvents
from firewall_logs.days.contracts import DaySealed, SealedDay
from firewall_logs.handlers.commit_iceberg import handler
from firewall_logs.locations import day_key
from kernel import aws
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.firewall import NOW
from tests.support.metrics import emitted

pytestmark = pytest.mark.pyarrow

SETTINGS = {"ICEBERG_CATALOG": "type=in-memory,warehouse=file:///nowhere", "ICEBERG_TABLE": "gatehouse.events"}


def _sealed(version: int) -> SealedDay:
    return SealedDay(
        event_date=NOW.date(),
        version=version,
        seal_id="seal-1",
        as_of=NOW,
        transform_versions=[],
        objects=[],
        account={"rows_in": 0},
        rows={},
        arrivals={},
        files=[],
        replaced=[],
        quality=[],
    )


def _put(sealed: SealedDay) -> None:
    key = day_key(sealed.event_date, sealed.version)
    aws.s3().put_object(Bucket=LAKE, Key=key, Body=sealed.model_dump_json().encode())


def _deliver(version: int) -> Any:
    detail = DaySealed(
        event_date=NOW.date(), version=version, lake_bucket=LAKE, document_key="k", rows=0, files=0, late_rows=0
    )
    envelope = {
        "source": "gatehouse.firewall_logs",
        "detail-type": "firewall_logs.DaySealed",
        "detail": detail.model_dump(mode="json"),
    }
    records = [{"messageId": "m", "eventSource": "aws:sqs", "body": json.dumps(envelope)}]
    with patch.dict("os.environ", SETTINGS):
        return handler({"Records": records}, Context())


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Take the place of the table, which test_iceberg.py is about, and tell which versions it was given."""
    given: list[int] = []

    def commit(_: IcebergEvents, sealed: SealedDay) -> bool:
        given.append(sealed.version)
        return len(given) == 1

    monkeypatch.setattr(IcebergEvents, "commit", commit)
    return given


def test_the_newest_version_is_committed_whichever_was_announced(
    committed: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    for version in (1, 2, 10):
        _put(_sealed(version))

    assert _deliver(1) == {"batchItemFailures": []}
    assert committed == [10]
    assert emitted(capsys.readouterr().out)["DaysCommitted"] == 1


def test_a_day_without_a_seal_comes_again(committed: list[int]) -> None:
    with pytest.raises(BatchProcessingError, match="holds no sealed day, though an event says so"):
        _deliver(1)
    assert committed == []
