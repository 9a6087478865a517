"""What tests of the deployed domain of data protection do to it, and look up."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

from cli.approvals import decide
from cli.target import Target
from local.endpoints import ACCOUNT
from tests.e2e.conftest import Gatehouse


def findings(gatehouse: Gatehouse, run: str, account: str = ACCOUNT) -> dict[tuple[str, str], str]:
    """Return the status of each check on each resource in a run."""
    s3, bucket = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    prefix = f"data_protection/findings/date={datetime.now(UTC).date()}/run={run}/"
    (entry,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}{account}-")["Contents"]
    body = gzip.decompress(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    rows = [json.loads(line) for line in body.splitlines()]
    return {(row["check"], row["name"]): row["status"] for row in rows}


def keep_profile(gatehouse: Gatehouse, names: list[str], **remediation: Any) -> None:
    rule = {
        "kind": "dynamodb-table",
        "select": [{"name": name} for name in names],
        "requires": {"DDB-PITR": {}},
    }
    document = {"name": "rfc-008", "rules": [rule], "remediation": remediation}
    gatehouse.client("s3").put_object(
        Bucket=gatehouse.output("LakeBucketName"),
        Key="data_protection/profiles/rfc-008.yaml",
        Body=json.dumps(document).encode(),
    )


def make_tables(tables: Any, names: list[str]) -> None:
    for name in names:
        tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def decided(target: Target, plan: str, *, approves: bool) -> dict[str, Any] | None:
    """Decide about a plan, once somebody asks for that."""
    status, answer = decide(target, plan, approves=approves)
    return answer if status == 200 else None


def recovers(tables: Any, name: str) -> bool:
    described = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return bool(described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")
