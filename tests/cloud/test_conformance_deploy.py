import json
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from local.build import host_architecture
from local.deploy import REJECTED_TYPES, deploy, skipped
from local.errors import BuildFailed, DeployFailed
from local.supervisor import EmbeddedCloud
from local.template import read
from tests.cloud.conftest import ACCOUNT, FIXTURE_APP, App, saw

pytestmark = pytest.mark.cloud


def test_what_is_skipped_is_what_the_condition_excludes(app: App) -> None:
    lines = [str(resource) for resource in app.deployment.skipped]
    why = "MiniStack has no such type (condition IsCloud is false)"
    assert lines == [
        f"skipped locally: Storage/SpendingBudget (AWS::Budgets::Budget): {why}",
        f"skipped locally: App/BusArchive (AWS::Events::Archive): {why}",
        f"skipped locally: App/RunItemsVersion (AWS::StepFunctions::StateMachineVersion): {why}",
    ]
    assert list(skipped(FIXTURE_APP, {"Environment": "prod"})) == []


def test_everything_else_is_deployed(app: App) -> None:
    cloudformation = app.client("cloudformation")
    names = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    saw("stacks", names)
    deployed = {
        resource["LogicalResourceId"]: resource["ResourceType"]
        for name in names
        for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    }
    left_out = {resource.logical_id.rsplit("/", 1)[1] for resource in app.deployment.skipped}
    for stack in read(FIXTURE_APP, {"Environment": "local"}):
        for logical_id, resource in stack.resources.items():
            if logical_id in left_out:
                assert logical_id not in deployed
            elif resource["Type"] == "AWS::Serverless::LayerVersion":
                assert any(found.startswith(logical_id) for found in deployed)
            else:
                assert logical_id in deployed, logical_id
    assert not REJECTED_TYPES & set(deployed.values())


def test_settings_that_the_emulator_drops_are_applied_and_read_back(app: App) -> None:
    assert {(setting.resource, setting.property) for setting in app.deployment.applied} == {
        ("Storage/Lake", "LifecycleConfiguration"),
        ("Storage/Lake", "ObjectLockConfiguration"),
        ("Storage/Lake", "BucketEncryption"),
        ("Storage/Ledger", "PointInTimeRecoverySpecification"),
        ("Storage/Ledger", "TimeToLiveSpecification"),
        ("Storage/Ledger", "SSESpecification"),
        ("App/Bus", "KmsKeyIdentifier"),
    }
    s3, dynamodb = app.client("s3"), app.client("dynamodb")
    bucket, table = app.outputs["LakeBucket"], app.outputs["LedgerTable"]
    scratch, lake = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert scratch["Expiration"] == {"Days": 30}  # a number parameter of the root
    assert lake["Filter"] == {"Prefix": "lake-local/"}  # Fn::Sub
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 1}  # Fn::If
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    (key,) = app.client("kms").list_keys()["Keys"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key["KeyArn"]  # Fn::GetAtt
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    assert dynamodb.describe_table(TableName=table)["Table"]["SSEDescription"]["SSEType"] == "KMS"


def test_object_lock_holds(app: App) -> None:
    s3, bucket = app.client("s3"), app.outputs["LakeBucket"]
    version = s3.put_object(Bucket=bucket, Key="locked", Body=b"x")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="locked", VersionId=version)


def test_the_layer_holds_the_locked_wheel(app: App) -> None:
    (layer,) = app.client("lambda").list_layers()["Layers"]
    saw("layer", layer)
    assert layer["LatestMatchingVersion"]["CompatibleArchitectures"] == [host_architecture()]
    built = json.loads((app.deployment.built.parent / "Layers" / "template.yaml").read_text())
    with ZipFile(built["Resources"]["SmallLayer"]["Properties"]["ContentUri"]) as archive:
        assert "python/annotated_types-0.8.0.dist-info/METADATA" in archive.namelist()


def test_the_source_of_a_state_machine_is_never_written(app: App) -> None:
    built = app.deployment.built.parent / "App"
    assert json.loads((built / "RunItems.asl.json").read_text())["StartAt"] == "AskAboutItems"
    source = FIXTURE_APP.parent / "statemachines" / "run_items.asl.yaml"
    assert source.read_text().startswith("Comment: ")


def test_a_second_deployment_is_refused_with_the_way_out(app: App) -> None:
    with pytest.raises(DeployFailed, match="cannot update nested stacks: reset the cloud first"):
        deploy(app.cloud, template=FIXTURE_APP, account=ACCOUNT)


def write(folder: Path, resources: dict[str, Any]) -> Path:
    template = folder / "template.json"
    template.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}))
    return template


def test_a_resource_that_the_emulator_refuses_is_named_with_its_reason(cloud: EmbeddedCloud, tmp_path: Path) -> None:
    budget = {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY"}}}
    with pytest.raises(DeployFailed, match=r"AWS::Budgets::Budget"):
        deploy(cloud, template=write(tmp_path, {"Money": budget}), account="444444444444")


def test_a_build_that_fails_says_what_sam_said(cloud: EmbeddedCloud, tmp_path: Path) -> None:
    layer = {
        "Type": "AWS::Serverless::LayerVersion",
        "Metadata": {"BuildMethod": "makefile"},
        "Properties": {"ContentUri": str(tmp_path), "CompatibleRuntimes": ["python3.11"]},
    }
    with pytest.raises(BuildFailed, match="Makefile not found"):
        deploy(cloud, template=write(tmp_path, {"Wheels": layer}), account="444444444444")


def test_layers_are_not_built_for_an_unknown_architecture() -> None:
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "--file", FIXTURE_APP.parent / "layers" / "Makefile", "build-SmallLayer"],  # noqa: S607
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Build with 'gatehouse build'" in done.stderr
