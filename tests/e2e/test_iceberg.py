"""The Iceberg table in a Glue catalogue, its files in S3, both of the embedded cloud."""

from pathlib import Path
from typing import Any

import pytest

from firewall_logs.adapters.iceberg import IcebergEvents
from local.endpoints import ACCOUNT, REGION
from local.supervisor import EmbeddedCloud
from tests.support.iceberg_lake import DAY, build

pytestmark = [pytest.mark.cloud, pytest.mark.pyarrow]

BUCKET, DATABASE = "analysts", "analysts"


@pytest.fixture
def events(cloud: EmbeddedCloud) -> IcebergEvents:
    catalogue = {
        "type": "glue",
        "glue.endpoint": cloud.endpoint,
        "s3.endpoint": cloud.endpoint,
        "client.region": REGION,
        "client.access-key-id": ACCOUNT,
        "client.secret-access-key": "local",
    }
    return IcebergEvents(catalogue, f"{DATABASE}.events", f"s3://{BUCKET}")


def test_versions_of_days_are_committed_through_glue(
    events: IcebergEvents, cloud: EmbeddedCloud, tmp_path: Path
) -> None:
    s3: Any = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    first, second, other = build(tmp_path / "lake")
    for path in tmp_path.joinpath("lake").rglob("*.parquet"):
        s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(tmp_path / "lake")), Body=path.read_bytes())

    assert [events.commit(sealed) for sealed in (first, other, second, first)] == [True, True, True, False]
    table = events._table()
    assert table.scan().to_arrow().num_rows == 6
    assert IcebergEvents.version(table, DAY) == 2
