"""The steps of forecast_lifecycle over a bucket in moto, from the input to the report."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from data_protection.adapters.bucket_objects import Listing
from data_protection.errors import ForecastInvalid
from data_protection.handlers import count_objects, plan_forecast, report_forecast
from kernel import aws
from kernel.prices import AS_OF, REGION
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

TIME = datetime(2026, 11, 21, 5, tzinfo=UTC)
BUCKET, INVENTORIES = "audio-1", "inventories"
MANIFEST = "audio-1/daily/2026-11-20T01-00Z/manifest.json"
GLACIER = {
    "ID": "logs",
    "Status": "Enabled",
    "Filter": {"ObjectSizeGreaterThan": 0},
    "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
}
MB = 1024**2


@pytest.fixture(autouse=True)
def account(aws_account: None) -> None:
    for bucket in (BUCKET, INVENTORIES):
        aws.s3().create_bucket(
            Bucket=bucket,
            CreateBucketConfiguration={"LocationConstraint": aws.s3().meta.region_name},  # type: ignore[typeddict-item]
        )
    load.cache_clear()


def inventory(rows: list[tuple[Any, ...]], columns: list[str] | None = None, **changes: Any) -> str:
    """Put an inventory as S3 delivers it, and return where its manifest is."""
    names = columns or ["key", "size", "last_modified_date", "storage_class"]
    file = io.BytesIO()
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(file)
    manifest = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{INVENTORIES}",
        "version": "2016-11-30",
        "creationTimestamp": str(int(TIME.timestamp() * 1000)),
        "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { }",
        "files": [{"key": "audio-1/daily/data/1.parquet", "size": len(file.getvalue()), "MD5checksum": ""}],
        **changes,
    }
    aws.s3().put_object(Bucket=INVENTORIES, Key="audio-1/daily/data/1.parquet", Body=file.getvalue())
    aws.s3().put_object(Bucket=INVENTORIES, Key=MANIFEST, Body=json.dumps(manifest).encode())
    return f"s3://{INVENTORIES}/{MANIFEST}"


def forecast(**asked: Any) -> dict[str, Any]:
    """Take the steps of the machine, and return the report."""
    start = {"run": "r", "time": TIME.isoformat()}
    parts = plan_forecast.handler({**start, "bucket": BUCKET, **asked}, Context())["parts"]
    for part in parts:
        count_objects.handler({**start, "part": part}, Context())
    told = report_forecast.handler({**start, "parts": len(parts)}, Context())
    read = {
        name: aws.s3().get_object(Bucket=LAKE, Key=f"{told['prefix']}{name}")["Body"].read()
        for name in ("report.json", "index.html")
    }
    return {"told": told, "page": read["index.html"].decode(), **json.loads(read["report.json"])}


def rows(count: int, size: int, days: int, storage_class: str = "STANDARD", folder: str = "") -> list[tuple[Any, ...]]:
    put = TIME.replace(tzinfo=None) - timedelta(days=days)
    return [(f"{folder}{days}-{size}-{number}", size, put, storage_class) for number in range(count)]


def test_inventory_becomes_a_report_of_seven_years() -> None:
    where = inventory([*rows(20, 5 * MB, 10), *rows(10, 5 * MB, 400, "GLACIER")])

    found = forecast(rules=[GLACIER], inventory=where, reads_percent_a_year=0)

    assert found["stored"] == {
        "STANDARD": {"objects": 20, "bytes": 20 * 5 * MB},
        "GLACIER": {"objects": 10, "bytes": 10 * 5 * MB},
    }
    assert found["told"]["losing_rules"] == []
    assert found["saving_percent"] == pytest.approx(found["told"]["saving_percent"])
    assert 60 < found["saving_percent"] < 85
    # What lies in GLACIER already is cheaper without a rule as well, and what is in STANDARD would stay there.
    assert found["bills"]["lifecycle"]["total"] < found["bills"]["present"]["total"]
    assert found["bills"]["present"]["total"] < found["bills"]["standard"]["total"]
    assert found["out_of_reach_within_an_hour"] == [{"prefix": "", "age": 90, "storage_class": "GLACIER", "hours": 5}]
    assert "year 7" in found["page"]
    assert "http" not in found["page"].split("<main>")[1].split("</main>")[0]


def test_rule_that_loses_money_is_named_with_the_size_from_which_it_pays() -> None:
    found = forecast(rules=[GLACIER], inventory=inventory(rows(100, 8 * 1024, 5)))

    assert found["told"]["losing_rules"] == ["logs"]
    assert found["saving_percent"] < -100
    (effect,) = found["effects"]
    assert effect["pays_from_bytes"] > 30 * 1024
    assert f"ObjectSizeGreaterThan {effect['pays_from_bytes'] - 1}" in effect["verdict"]
    assert "It loses money" in found["page"]


def test_figures_say_whose_prices_they_are_and_end_with_cents() -> None:
    found = forecast(rules=[GLACIER], inventory=inventory(rows(50, 700 * 1024, 5)))

    # The bucket is in another region than the prices: its page begins with that.
    note = f"All USD are at prices of {REGION} as of {AS_OF}"
    assert found["region"] != REGION
    assert (found["prices"]["region"], found["prices"]["as_of"]) == (REGION, AS_OF.isoformat())
    assert note in found["prices"]["note"]
    assert note in found["told"]["prices"]
    assert found["page"].index(note) < found["page"].index("By year")
    assert f"USD at prices of {REGION}" in found["page"]
    (effect,) = found["effects"]
    bill = found["bills"]["lifecycle"]
    for usd in (
        found["told"]["lifecycle_usd"],
        effect["moving_usd"],
        *(one["total"] for one in found["bills"].values()),
    ):
        assert usd == round(usd, 2)
    assert sum(line["usd"] for line in bill["lines"]) == pytest.approx(bill["total"], abs=0.006)
    assert {line["charge"] for line in bill["lines"]} <= found["charges"].keys()
    assert isinstance(effect["pays_from_bytes"], int)
    assert "s3_" not in found["page"]


def test_objects_that_a_rule_leaves_are_counted_with_the_reason() -> None:
    by_default = {**GLACIER, "Filter": {"Prefix": ""}}
    where = inventory([*rows(7, MB, 5), *rows(4, MB, 200), *rows(3, 100, 5), *rows(2, MB, 400, "DEEP_ARCHIVE")])

    found = forecast(rules=[by_default], inventory=where)

    (effect,) = found["effects"]
    assert effect["objects"] == {"moved_at_once": 4, "moved_as_they_age": 7, "left": {"small": 3, "there": 2}}
    for sentence in effect["reached"]:
        assert sentence in found["page"].replace("&#39;", "'")
    assert "smaller than 128 KB" in found["page"]


def test_listed_bucket_is_counted_with_its_noncurrent_versions() -> None:
    s3 = aws.s3()
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"x" * 1000, b"x" * 3000):
        s3.put_object(Bucket=BUCKET, Key="a", Body=body)
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"x" * 500)
    s3.delete_object(Bucket=BUCKET, Key="gone")

    found = forecast(use="own")

    assert found["stored"] == {"STANDARD": {"objects": 3, "bytes": 4500}}
    assert found["source"] == "the bucket's own lifecycle"
    assert found["sample"] is None


def test_tiers_of_the_profile_are_merged_into_what_the_bucket_has() -> None:
    s3 = aws.s3()
    cleaning: Any = {
        "ID": "theirs",
        "Status": "Enabled",
        "Filter": {"Prefix": "tmp/"},
        "Expiration": {"Days": 7},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [cleaning]})
    tier = {"transitions": [{"days": 90, "storage_class": "GLACIER_IR"}]}
    profile = {
        "name": "rfc-008",
        "rules": [{"kind": "s3-bucket", "select": [{"name": BUCKET}], "requires": {"S3-LIFECYCLE": {"tiers": [tier]}}}],
    }
    s3.put_object(Bucket=LAKE, Key="data_protection/profiles/rfc-008.yaml", Body=json.dumps(profile).encode())

    found = forecast(inventory=inventory([*rows(5, MB, 1), *rows(5, MB, 1, folder="tmp/")]))

    assert [effect["prefix"] for effect in found["effects"]] == ["tmp/", ""]
    assert found["effects"][0]["deleting_usd"] > 0
    assert found["effects"][1]["moving_usd"] > 0
    assert found["out_of_reach_within_an_hour"] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sourceBucket": "other"}, "is of the bucket other"),
        ({"fileFormat": "CSV"}, "as parquet"),
        ({"files": []}, "lists no files"),
    ],
)
def test_inventory_that_cannot_serve_is_refused_with_what_to_give(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ForecastInvalid, match=sentence):
        forecast(use="own", inventory=inventory(rows(1, 1, 1), **change))


def test_inventory_without_ages_is_refused_with_what_to_add() -> None:
    where = inventory([("a", 1)], columns=["key", "size"])

    with pytest.raises(ForecastInvalid, match="add Size, LastModifiedDate and StorageClass"):
        forecast(use="own", inventory=where)


def test_bucket_that_is_not_there_and_rules_that_aws_refuses_are_told() -> None:
    with pytest.raises(ForecastInvalid, match="nowhere"):
        forecast(bucket="nowhere", use="own")
    with pytest.raises(ForecastInvalid, match="30 are the least"):
        forecast(rules=[{**GLACIER, "Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}])
    with pytest.raises(ForecastInvalid, match="none of AWS' API"):
        forecast(rules=[{**GLACIER, "Transitions": [{"Days": 90}]}])
    with pytest.raises(ForecastInvalid, match="asks for no tiers of audio-1"):
        forecast()


def test_too_large_a_bucket_is_sampled_over_its_folders_and_the_error_told() -> None:
    s3 = aws.s3()
    for folder in range(4):
        for number in range(300):
            size = 10 if folder % 2 else 200_000
            s3.put_object(Bucket=BUCKET, Key=f"{folder}/{number}", Body=b"x" * size)

    with patch.object(Listing, "number", return_value=12_000.0):
        found = forecast(rules=[GLACIER], most=1000)

    assert found["sample"]["listed"] == 4 * 300
    assert found["sample"]["error"] > 0
    assert sum(one["objects"] for one in found["stored"].values()) == pytest.approx(12_000)
    assert "A sample" in found["page"]


def test_files_are_counted_in_parts_of_bounded_size() -> None:
    files = [{"key": f"{number}", "size": 100 << 20, "MD5checksum": ""} for number in range(5)]
    where = inventory(rows(1, 1, 1), files=files)

    start = {"run": "r", "time": TIME.isoformat(), "bucket": BUCKET, "use": "own", "inventory": where}
    parts = plan_forecast.handler(start, Context())["parts"]

    assert [len(part["files"]) for part in parts] == [2, 2, 1]


def test_parts_and_files_are_reported_together() -> None:
    files = [{"key": "audio-1/daily/data/1.parquet", "size": 100 << 20, "MD5checksum": ""}] * 5

    found = forecast(use="own", inventory=inventory(rows(3, MB, 10), files=files))

    assert found["stored"] == {"STANDARD": {"objects": 15, "bytes": 15 * MB}}
