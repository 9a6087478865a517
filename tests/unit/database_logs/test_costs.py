import pytest

from database_logs.costs import usd
from kernel.metering import Taken
from kernel.prices import PRICES


def test_a_call_costs_its_seconds_at_its_memory_and_its_requests() -> None:
    taken = Taken(memory_mb=2048, seconds=3, requests={"s3.PutObject": 4, "dynamodb.TransactWriteItems": 6})
    parts = [
        6 * PRICES["lambda_compute_arm64"].each,
        PRICES["lambda_requests"].each,
        4 * PRICES["s3_puts"].each,
        6 * PRICES["dynamodb_writes"].each,
    ]

    assert usd(taken, "arm64") == pytest.approx(sum(parts))
    assert usd(taken, "x86_64") > usd(taken, "arm64")


def test_what_rds_is_asked_costs_nothing() -> None:
    asked = Taken(memory_mb=128, seconds=0, requests={"rds.DownloadDBLogFilePortion": 1000})

    assert usd(asked, "arm64") == pytest.approx(PRICES["lambda_requests"].each)
