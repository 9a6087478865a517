"""Deploys the real template into an embedded cloud with SAM CLI, and says what is different there."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import sam, samconfig, settings_after_deploy
from local.build import TEMPLATE, build_for_cloud, host_architecture
from local.endpoints import ACCOUNT, credentials
from local.errors import DeployFailed
from local.settings_after_deploy import AppliedSetting
from local.supervisor import EmbeddedCloud
from local.template import Stack, load, read

STACK = "gatehouse"
# Of samconfig.toml: what is different locally.
ENVIRONMENT = "local"
OnProgress = Callable[[str], None]

# What MiniStack 1.5.33 has no handler for, of the types that a template of ours may come to use. Others are only
# found out by trying; the deployment then fails with MiniStack's sentence.
REJECTED_TYPES = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Athena::NamedQuery",
        "AWS::Backup::BackupSelection",
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::AnomalyDetector",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::Events::ApiDestination",
        "AWS::Events::Archive",
        "AWS::Events::Connection",
        "AWS::Events::EventBusPolicy",
        "AWS::Lambda::CodeSigningConfig",
        "AWS::MSK::Cluster",
        "AWS::SSM::Document",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::StepFunctions::Activity",
        "AWS::StepFunctions::StateMachineAlias",
        "AWS::StepFunctions::StateMachineVersion",
    }
)


@dataclass(frozen=True)
class SkippedResource:
    """A resource of the template that the embedded cloud does not hold.

    Attributes:
        logical_id: With the path of nested applications before it.
        why: One clause.
    """

    logical_id: str
    type: str
    why: str

    def __str__(self) -> str:
        return f"skipped locally: {self.logical_id} ({self.type}): {self.why}"


@dataclass(frozen=True)
class Deployment:
    """What was deployed.

    Attributes:
        built: The root template that `sam build` made.
        outputs: Of the root stack.
        skipped: What the embedded cloud cannot take.
        applied: What was set through APIs after the deployment.
        seconds: Duration by step.
    """

    stack: str
    account: str
    built: Path
    outputs: Mapping[str, str]
    skipped: tuple[SkippedResource, ...]
    applied: tuple[AppliedSetting, ...]
    seconds: Mapping[str, float]


def skipped(template: Path, parameters: Mapping[str, str]) -> Iterator[SkippedResource]:
    """Yield every resource whose condition is false under these parameters, from the template itself."""
    for stack in read(template, parameters):
        for logical_id, resource in stack.resources.items():
            if not stack.includes(resource):
                name = f"{stack.name}/{logical_id}".lstrip("/")
                why = f"{_why(resource)} (condition {resource['Condition']} is false)"
                yield SkippedResource(name, resource["Type"], why)


def deploy(
    cloud: EmbeddedCloud,
    *,
    template: Path = TEMPLATE,
    parameters: Mapping[str, str] | None = None,
    stack: str = STACK,
    account: str = ACCOUNT,
    on_progress: OnProgress = lambda _: None,
) -> Deployment:
    """Build and deploy a template into a cloud that does not hold the stack yet.

    Args:
        cloud: A running server.
        template: The root template.
        parameters: Beside those of samconfig.toml for "local" and the machine's Architecture.
        stack: The root stack's name.
        account: Twelve digits; each account is a world of its own.
        on_progress: Told in a line what happens.

    Raises:
        BuildFailed: `sam build` failed.
        DeployFailed: The stack exists, a resource failed, or a setting was not taken.
    """
    declared = load(template).get("Parameters", {})
    own = samconfig.environment(ENVIRONMENT).parameters if template == TEMPLATE else {"Environment": ENVIRONMENT}
    given = {**own, "Architecture": host_architecture(), **(parameters or {})}
    given = {name: value for name, value in given.items() if name in declared}
    _refuse_update(cloud, stack, account)
    seconds: dict[str, float] = {}
    left_out = tuple(skipped(template, given))
    with _step("sam build", seconds, on_progress):
        built = build_for_cloud(template)
    with _step("sam deploy", seconds, on_progress):
        _sam_deploy(cloud, built, given, stack, account)
    with _step("settings", seconds, on_progress):
        applied = tuple(_apply_settings(cloud, template, stack, account))
    outputs = _describe(cloud, stack, account).get("Outputs", [])
    return Deployment(
        stack=stack,
        account=account,
        built=built,
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
        skipped=left_out,
        applied=applied,
        seconds=seconds,
    )


def deploy_to_aws(env: str) -> None:
    """Run `sam deploy` of what was built, with the caller's own AWS credentials.

    Raises:
        EnvironmentUnknown: samconfig.toml has none of that name.
        DeployFailed: `sam deploy` failed; its output has been shown.
    """
    samconfig.environment(env)
    code, _ = sam.call("deploy", "--config-env", env, show=True)
    if code != 0:
        raise DeployFailed(f"sam deploy to '{env}' failed: the reason stands above.")


def _why(resource: dict[str, Any]) -> str:
    if resource["Type"] in REJECTED_TYPES:
        return "MiniStack has no such type"
    if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
        return "MiniStack takes no metric math"
    return "not asked for here"


@contextmanager
def _step(name: str, seconds: dict[str, float], on_progress: OnProgress) -> Iterator[None]:
    on_progress(f"{name} …")
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 2)
    on_progress(f"{name}: {seconds[name]} s")


def _describe(cloud: EmbeddedCloud, stack: str, account: str) -> dict[str, Any]:
    described: dict[str, Any] = cloud.client("cloudformation", account).describe_stacks(StackName=stack)["Stacks"][0]
    return described


def _refuse_update(cloud: EmbeddedCloud, stack: str, account: str) -> None:
    try:
        _describe(cloud, stack, account)
    except ClientError:
        return
    raise DeployFailed(
        f"The stack '{stack}' is deployed already, and MiniStack cannot update nested stacks: "
        "reset the cloud first, as `gatehouse up` does."
    )


def _sam_deploy(cloud: EmbeddedCloud, built: Path, parameters: Mapping[str, str], stack: str, account: str) -> None:
    bucket = f"{stack}-artifacts-{account}"
    cloud.client("s3", account).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": cloud.state.region}
    )
    environment = {
        **credentials(account, cloud.state.region),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        # The developer's own profile must not come in.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        # Five seconds between questions would be most of the time.
        "SAM_CLI_POLL_DELAY": "0.2",
    }
    code, said = sam.call(
        "deploy",
        "--template-file",
        built,
        "--stack-name",
        stack,
        "--s3-bucket",
        bucket,
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_NAMED_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--no-confirm-changeset",
        "--no-progressbar",
        "--on-failure",
        "DO_NOTHING",
        *sam.overrides(parameters),
        cloud=environment,
        cwd=built.parent,
    )
    if code != 0:
        reasons = "\n".join(_failures(cloud, stack, account)) or said
        raise DeployFailed(f"sam deploy into the embedded cloud failed:\n{reasons}")


def _failures(cloud: EmbeddedCloud, stack: str, account: str) -> Iterator[str]:
    cloudformation = cloud.client("cloudformation", account)
    names = [s["StackName"] for s in cloudformation.describe_stacks()["Stacks"] if s["StackName"].startswith(stack)]
    for name in names:
        for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason"):
                yield f"{name} {event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"


def _apply_settings(cloud: EmbeddedCloud, template: Path, stack: str, account: str) -> Iterator[AppliedSetting]:
    for deployed in _deployed(cloud, "", template.resolve(), stack, account):
        yield from settings_after_deploy.apply(deployed, lambda service: cloud.client(service, account))


def _deployed(cloud: EmbeddedCloud, name: str, template: Path, stack: str, account: str) -> Iterator[Stack]:
    """Yield a deployed stack and the stacks nested in it, with their real parameters and physical ids."""
    described = _describe(cloud, stack, account)
    resources = cloud.client("cloudformation", account).describe_stack_resources(StackName=stack)["StackResources"]
    found = Stack(
        name,
        template,
        load(template),
        {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in described.get("Parameters", [])},
        {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
        {
            "AWS::AccountId": account,
            "AWS::Partition": "aws",
            "AWS::Region": cloud.state.region,
            "AWS::StackName": described["StackName"],
            "AWS::URLSuffix": "amazonaws.com",
        },
    )
    yield found
    for logical_id, location, _ in found.applications():
        if logical_id in found.physical:
            child = f"{name}/{logical_id}".lstrip("/")
            yield from _deployed(cloud, child, location, found.physical[logical_id], account)
