"""What Athena believes about the lake is what the lake is."""

from datetime import date

import pytest

from firewall_logs import locations, schema
from firewall_logs.days.contracts import Verdict
from tests.support.athena import SYMLINKS, analytics, columns, tables
from tests.support.templates import Json, stacks

# https://docs.aws.amazon.com/athena/latest/ug/data-types.html
ATHENA = {
    "string": "string",
    "binary": "binary",
    "int8": "tinyint",
    "int16": "smallint",
    "int64": "bigint",
    "timestamp": "timestamp",
    "list<string>": "array<string>",
    "list<int64>": "array<bigint>",
}
DAY = date(2026, 6, 1)
# Kind of the rows, and where one object of a day lies that the table must find.
TABLES = {
    "firewall_events": ("events", locations.table_key("events", DAY)),
    "firewall_hourly": ("hourly", locations.table_key("hourly", DAY)),
    "firewall_rays": ("rays", locations.table_key("rays", DAY)),
    "firewall_addresses": ("addresses", locations.table_key("addresses", DAY)),
    "firewall_events_unsealed": ("events", locations.lake_key("events", DAY, "0" * 32, 0)),
    "firewall_quarantine": ("quarantine", locations.lake_key("quarantine", DAY, "0" * 32, 0)),
    "firewall_quality": (None, locations.quality_key(DAY, 1)),
}


def _location(table: Json) -> str:
    return str(table["StorageDescriptor"]["Location"]["Fn::Sub"])


def test_every_table_is_compared() -> None:
    assert tables().keys() == TABLES.keys()


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, (kind, _) in TABLES.items() if kind])
def test_columns_are_those_of_the_lake(name: str, kind: str) -> None:
    assert columns(tables()[name]) == {column: ATHENA[found] for column, found in schema.TABLES[kind].items()}


def test_columns_of_quality_are_those_of_a_verdict() -> None:
    assert list(columns(tables()["firewall_quality"])) == ["version", *Verdict.model_fields]


@pytest.mark.parametrize("name", TABLES)
def test_a_partition_is_where_the_lake_puts_its_day(name: str) -> None:
    table, (_, key) = tables()[name], TABLES[name]
    [partition] = table["PartitionKeys"]

    # Without a template for locations Athena looks for <location>/<partition>=<value>/.
    assert partition["Type"] == "date"
    assert f"s3://${{LakeBucketName}}/{key}".startswith(f"{_location(table)}{partition['Name']}={DAY.isoformat()}/")
    assert {name for name in table["Parameters"] if name.startswith("projection.")} == {
        "projection.enabled",
        *(
            f"projection.{partition['Name']}.{part}"
            for part in ("type", "format", "range", "interval", "interval.unit")
        ),
    }


@pytest.mark.parametrize("name", TABLES)
def test_just_the_tables_of_sealed_days_are_read_through_lists(name: str) -> None:
    is_list = not TABLES[name][1].endswith(".parquet")

    assert (tables()[name]["StorageDescriptor"]["InputFormat"] == SYMLINKS) == is_list


def test_another_key_may_be_used_only_where_the_dataset_has_one() -> None:
    function = analytics().resources["ProjectOcsfFunction"]["Properties"]
    [conditional] = [s["Fn::If"] for policy in function["Policies"] for s in policy["Statement"] if "Fn::If" in s]

    condition, statement, otherwise = conditional
    assert analytics().body["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "OcsfKeyArn"}, ""]}]}
    assert (statement["Resource"], otherwise) == ({"Ref": "OcsfKeyArn"}, {"Ref": "AWS::NoValue"})
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


@pytest.mark.parametrize("domain", ["firewall_logs", "database_logs"])
def test_every_query_is_limited_and_its_result_encrypted_and_expired(domain: str) -> None:
    [group] = analytics(domain).of_type("AWS::Athena::WorkGroup").values()
    settings = group["WorkGroupConfiguration"]
    [storage] = [stack for stack in stacks() if stack.name == "storage"]
    runs = storage.of_type("AWS::S3::Bucket")["RunsBucket"]
    expired = {rule.get("Prefix") for rule in runs["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule}

    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == {"Ref": "ScanLimitBytes"}
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert (
        settings["ResultConfiguration"]["OutputLocation"]["Fn::Sub"].removeprefix("s3://${RunsBucketName}/") in expired
    )
