"""How templates fit together: the root wires, children repeat what SAM does not inherit, limits are explicit."""

import re
import tomllib
from typing import Any

import pytest

from firewall_logs.committer import PROCESS_UNIT_STORAGE_MB
from local.paths import ROOT
from tests.support.definitions import read, states
from tests.support.templates import (
    APPLICATION,
    Function,
    Json,
    Machine,
    Stack,
    children,
    functions,
    machines,
    origin,
    root,
    sqs_sources,
    stacks,
    standalone,
    translate,
)

ROOT_LINES = 1000
RESOURCES = 400  # CloudFormation's limit is 500
TAGS = {"project", "domain", "environment", "data-class", "cost-centre"}

# What only AWS gets, with the reason why the embedded cloud cannot take it.
BEHIND_IS_CLOUD = (
    {
        (stack, alarm): "the embedded cloud takes no alarms on metric math"
        for stack, alarms in {
            "firewall_logs": (
                "DriftAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "ObjectsQuarantinedAlarm",
                "FunctionThrottlesAlarm",
                "QuarantineHighAlarm",
                "RunsFailedAlarm",
                "SuccessLowAlarm",
            ),
            "firewall_logs_backfill": (
                "BackfillsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "firewall_logs_days": (
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
                "SealsFailedAlarm",
            ),
            "database_logs": (
                "DeadLettersAlarm",
                "DiscoveriesFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
                "ProcessorErrorsAlarm",
                "QueueLongAlarm",
                "QueueOldAlarm",
                "TablesThrottledAlarm",
                "UploadsFailedAlarm",
            ),
            "data_protection": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "data_protection_remediation": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "data_protection_locking": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "data_protection_drift": (
                "DeadLettersAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
                "QueueOldAlarm",
            ),
            "data_protection_lifecycle": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "data_protection_creation": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "database_logs_digests": (
                "ExecutionsFailedAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
            "database_logs_search": (
                "DeadLettersAlarm",
                "QueueOldAlarm",
                "FunctionErrorsAlarm",
                "FunctionSlowAlarm",
                "FunctionThrottlesAlarm",
            ),
        }.items()
        for alarm in alarms
    }
    | {
        ("firewall_logs_operations", "CostHighAlarm"): "the embedded cloud takes no alarms on metric math",
        ("firewall_logs_operations", "Budget"): "the embedded cloud has no budgets",
        ("database_logs_operations", "Budget"): "the embedded cloud has no budgets",
    }
    | {
        ("firewall_logs_analytics", query): "the embedded cloud has no named queries"
        for query in (
            "AddressesOfARuleQuery",
            "ChallengeSolveRateQuery",
            "LateDaysQuery",
            "OneAddressQuery",
            "OneRayQuery",
            "QualityTrendQuery",
            "QuarantineByReasonQuery",
            "RuleBeforeAndAfterQuery",
            "TodaySoFarQuery",
            "TopBlockedHostsQuery",
            "TopBlockedNetworksQuery",
            "TopBlockingRulesQuery",
        )
    }
    | {
        ("database_logs_analytics", query): "the embedded cloud has no named queries"
        for query in ("AuditOfAUserQuery", "OneInstanceOneHourQuery", "SlowestStatementsQuery")
    }
    | {
        ("firewall_logs", "SourceAccountsPolicy"): "the embedded cloud has no policies of event buses",
        ("firewall_logs_batch", "StoppedTaskLogsPolicy"): "the embedded cloud knows no policies of log groups",
    }
    | {
        ("firewall_logs_analytics", alarm): "the embedded cloud takes no alarms on metric math"
        for alarm in ("IcebergFailedAlarm", "IcebergLateAlarm", "OcsfFailedAlarm", "OcsfLateAlarm")
    }
)


def test_the_root_is_a_wiring_diagram() -> None:
    lines = root().path.read_text().splitlines()

    assert len(lines) < ROOT_LINES
    assert {resource["Type"] for resource in root().resources.values()} == {APPLICATION}
    assert "Globals" not in root().body, "SAM passes no Globals on to nested applications"


def test_every_stack_file_is_wired() -> None:
    assert {stack.path for stack in (*children(), *standalone())} == set((ROOT / "stacks").glob("*.yaml"))


@pytest.mark.parametrize("stack", children(), ids=str)
def test_every_application_is_tagged(stack: Stack) -> None:
    tags = root().of_type(APPLICATION)[str(stack.logical_id)].get("Tags", {})

    assert tags.keys() == TAGS
    assert (tags["project"], tags["domain"]) == ("gatehouse", stack.domain)
    assert tags["environment"] == {"Ref": "Environment"}


@pytest.mark.parametrize("stack", children(), ids=str)
def test_parameters_are_just_those_given(stack: Stack) -> None:
    given = root().of_type(APPLICATION)[str(stack.logical_id)].get("Parameters", {}).keys()
    declared = stack.body.get("Parameters", {})
    required = {name for name, parameter in declared.items() if "Default" not in parameter}

    assert required <= given <= declared.keys()


def test_children_share_their_globals() -> None:
    shared = {stack.name: _globals(stack) for stack in children() if "Globals" in stack.body}
    first = next(iter(shared.values()))

    assert all(found == first for found in shared.values()), f"Globals differ between {', '.join(shared)}"


@pytest.mark.parametrize("stack", stacks(), ids=str)
def test_the_translated_stack_has_room(stack: Stack) -> None:
    assert len(translate(stack)["Resources"]) < RESOURCES


def test_only_listed_resources_are_missing_from_the_embedded_cloud() -> None:
    found = {
        (stack.name, name)
        for stack in stacks()
        for name, resource in stack.resources.items()
        if _needs_cloud(stack, resource.get("Condition"))
    }

    assert found == BEHIND_IS_CLOUD.keys()


@pytest.mark.parametrize("function", functions(), ids=str)
def test_function_is_explicit_traced_and_logged(function: Function) -> None:
    own = function.stack.resources[function.logical_id]["Properties"]

    assert {"Description", "MemorySize", "Timeout", "FunctionName"} <= own.keys()
    assert function.properties["Runtime"] == "python3.11"
    assert function.properties["Tracing"] == "Active"
    assert _has_logs(function.stack, f"/aws/lambda/{function.properties['FunctionName']['Fn::Sub']}")


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_machine_is_traced_and_logged(machine: Machine) -> None:
    name = machine.properties["Name"]["Fn::Sub"]

    assert machine.properties["Tracing"] == {"Enabled": True}
    assert machine.properties["Logging"]["Level"] != "OFF"
    assert machine.properties["Logging"]["IncludeExecutionData"] is False, "rows and addresses have no place in logs"
    assert _has_logs(machine.stack, f"/aws/vendedlogs/states/{name}")


@pytest.mark.parametrize(
    ("machine", "label", "state"),
    [
        pytest.param(machine, label, state, id=f"{machine}.{label}")
        for machine in machines()
        for label, state in states(read(machine.path), "Task")
        if "lambda:invoke" in state["Resource"]
    ],
)
def test_function_gives_up_before_its_task(machine: Machine, label: str, state: Json) -> None:
    function = machine.function(state["Arguments"]["FunctionName"])

    assert function.properties["Timeout"] < state["TimeoutSeconds"] < read(machine.path)["TimeoutSeconds"]


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_leases_outlive_the_machine(machine: Machine) -> None:
    variables = [f.properties["Environment"]["Variables"] for f in functions() if f.stack == machine.stack]
    leases = {int(found["LEASE_SECONDS"]) for found in variables if "LEASE_SECONDS" in found}

    assert all(lease > read(machine.path)["TimeoutSeconds"] for lease in leases)
    assert len(leases) <= 1, f"functions of {machine.stack} disagree about the lease: {leases}"


@pytest.mark.parametrize(("function", "event"), [pytest.param(*found, id=str(found[0])) for found in sqs_sources()])
def test_queue_hides_messages_longer_than_the_function_may_hold_them(function: Function, event: Json) -> None:
    queue = origin(function.stack, event["EventSourceArn"])
    assert queue is not None
    properties = queue.stack.resources[queue.logical_id]["Properties"]
    window = _maximum(function.stack, event.get("MaximumBatchingWindowInSeconds", 0))

    hidden, timeout = properties["VisibilityTimeout"], function.properties["Timeout"]
    receives = properties["RedrivePolicy"]["maxReceiveCount"]
    lease = int(function.properties["Environment"]["Variables"].get("LEASE_SECONDS", 0))

    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html. Without a lease two calls with one
    # message may work side by side, once Lambda has tried for long to call a function that is throttled.
    assert hidden >= 6 * timeout + window or (event["BatchSize"] == 1 and hidden >= lease > timeout + window)
    assert receives >= 5, "throttling counts as receiving"
    assert receives * hidden >= 5 * 6 * timeout, "a message is given up before throttling is over"
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_price_of_a_run_knows_the_disk_of_its_functions() -> None:
    given = {
        f.name: f.properties["EphemeralStorage"]["Size"] for f in functions() if "EphemeralStorage" in f.properties
    }

    assert given["process_unit"] == PROCESS_UNIT_STORAGE_MB
    assert not given.keys() & {"plan_run", "reconcile_run", "commit_run"}


@pytest.mark.skipif(not (ROOT / "samconfig.toml").exists(), reason="samconfig.toml is not written yet")
def test_every_environment_is_configured() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())

    assert {"local", "dev", "prod"} <= config.keys()
    for environment in ("local", "dev", "prod"):
        given = config[environment]["deploy"]["parameters"]["parameter_overrides"]
        pairs = given.split() if isinstance(given, str) else given
        names = {pair.partition("=")[0] for pair in pairs}
        assert f"Environment={environment}" in [pair.replace('"', "") for pair in pairs]
        assert names <= root().body["Parameters"].keys(), f"{environment} sets parameters that the template has not"


def _needs_cloud(stack: Stack, condition: str | None) -> bool:
    """Whether a condition is IsCloud, or demands it among others."""
    if condition is None:
        return False
    demanded = stack.body["Conditions"][condition].get("Fn::And", [])
    return condition == "IsCloud" or {"Condition": "IsCloud"} in demanded


def _globals(stack: Stack) -> Json:
    shared = dict(stack.body["Globals"]["Function"])
    variables = dict(shared.pop("Environment")["Variables"])
    service = variables.pop("POWERTOOLS_SERVICE_NAME")
    assert stack.name.startswith(service), "a domain's stacks begin with its name"
    assert stack.body["Globals"].keys() == {"Function"}
    return {**shared, "variables": variables}


def _conditions(stack: Stack, name: str | None) -> set[str]:
    """Return a condition and those that it rests on."""
    if name is None:
        return set()
    rests_on = re.findall(r"'Condition': '(\w+)'", str(stack.body["Conditions"][name]))
    return {name, *rests_on}


def _has_logs(stack: Stack, name: str) -> bool:
    return any(
        group.get("LogGroupName") == {"Fn::Sub": name} and {"RetentionInDays", "KmsKeyId"} <= group.keys()
        for group in stack.of_type("AWS::Logs::LogGroup").values()
    )


def _maximum(stack: Stack, value: Any) -> int:
    """Return the largest value that a number, or the parameter it comes from, can take."""
    if isinstance(value, int):
        return value
    found = origin(stack, value)
    assert found is not None
    return int(found.stack.body["Parameters"][found.logical_id]["MaxValue"])
