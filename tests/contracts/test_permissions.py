"""Least privilege: policies grant what adapters and definitions use, and nothing else."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.support.definitions import is_distributed, read, states, strings
from tests.support.layers import imported
from tests.support.templates import Function, Json, Machine, Stack, functions, machines, stacks, standalone, translate

# What a function may do although no adapter of its handler declares it.
EXTRA_ACTIONS: dict[tuple[str, str], tuple[set[str], str]] = {
    ("firewall_logs", "StartRunFunction"): (
        {"kms:Decrypt", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "Lambda's poller reads the encrypted queue in the name of the function",
    ),
    **{
        ("firewall_logs_analytics", function): (
            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
            "Lambda's poller reads the queue in the name of the function",
        )
        for function in ("CommitIcebergFunction", "ProjectOcsfFunction")
    },
    **{
        (stack, function): (
            {"kms:Decrypt", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
            "Lambda's poller reads the encrypted queue in the name of the function",
        )
        for stack, function in (
            ("database_logs", "CollectFileFunction"),
            ("database_logs", "ParseSegmentFunction"),
            ("database_logs_search", "ForwardRecordsFunction"),
            ("database_logs_search", "VerifySearchFunction"),
            ("data_protection_drift", "RecheckResourceFunction"),
            ("data_protection_drift", "SweepDriftFunction"),
            ("data_protection_drift", "FixDriftFunction"),
        )
    },
}

# What a machine's role may do although its definition does not show it.
EXTRA_MACHINE_STATEMENTS = {
    "UseKey": "plan and results are encrypted objects",
    "DeliverLogs": "Step Functions writes logs and traces in the name of the machine",
}

# `*` as an action's end or as a whole resource, with the reason why nothing narrower will do.
WILDCARDS: dict[tuple[str, str], str] = {
    ("storage", "AccountAdministers"): "without it nobody but AWS could ever change the key's policy",
    ("storage", "TablesUse"): "a key policy speaks of its own key only; ViaService and the account narrow it",
    ("storage", "ServicesSend"): "a key policy speaks of its own key only; SourceAccount narrows it",
    ("storage", "EventBusLooksAtKey"): "a key policy speaks of its own key only; looking at it shows no data",
    ("storage", "EventBusEncrypts"): "a key policy speaks of its own key only; the bus's context narrows it",
    ("storage", "RawWriterEncrypts"): "a key policy speaks of its own key only; the principal and ViaService narrow it",
    ("storage", "LogGroupsEncrypt"): "a key policy speaks of its own key only; the log groups' context narrows it",
    ("firewall_logs_batch", "LogInToRegistry"): "logging in to ECR knows no resources",
    ("firewall_logs", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("firewall_logs_backfill", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("firewall_logs_days", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("database_logs", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("database_logs", "HearEvents"): "DescribeEvents knows no resources",
    ("database_account", "HearEvents"): "DescribeEvents knows no resources",
    ("database_logs_digests", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("data_protection", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("data_protection_locking", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    ("data_protection_locking", "LookAtLogging"): "any bucket may log into the one that is to be locked",
    ("data_protection_lifecycle", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    (
        "data_protection_lifecycle",
        "ReadOwnAccount",
    ): "forecasts are asked for any bucket of the account; keys and sizes are read, no content",
    (
        "data_protection",
        "ReadOwnAccount",
    ): "a profile may name any resource of the account; nothing but configuration is read",
    ("data_protection_remediation", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    (
        "data_protection_remediation",
        "ReadOwnAccount",
    ): "a profile may name any resource of the account; nothing but configuration is read",
    (
        "data_protection_remediation",
        "ChangeOwnAccount",
    ): "a profile may name any resource of the account; what is changed is in the plan that was approved",
    ("data_protection_remediation", "AnswerMachines"): "SendTaskSuccess knows no resources; a token names its task",
    (
        "data_protection_drift",
        "ReadOwnAccount",
    ): "a profile may name any resource of the account; nothing but configuration is read",
    (
        "data_protection_drift",
        "ChangeOwnAccount",
    ): "a profile may name any resource of the account; only what is class A and the profile lists is changed",
    ("data_protection_creation", "DeliverLogs"): "neither log delivery nor X-Ray knows resources",
    (
        "data_protection_creation",
        "ReadOwnAccount",
    ): "a request may name any resource of the account; nothing but configuration is read",
    ("data_protection_creation", "CreateBuckets"): "a request names its buckets, which S3 cannot tell apart by tags",
    ("data_protection_creation", "CreateKeys"): "CreateKey knows no resources; the mark on what is made narrows it",
    ("member_account", "ReadConfigurations"): "a profile may name any resource; of objects, keys and sizes are read",
    ("member_account", "LookAtLogging"): "any bucket may log into the one that is to be locked",
    ("member_account", "ProtectBuckets"): "a profile may name any bucket of the account, whose ARNs have no account",
    ("member_account", "ChangeBuckets"): "a profile may name any bucket of the account, whose ARNs have no account",
    ("member_account", "LockBuckets"): "a profile may name any bucket of the account, whose ARNs have no account",
    ("member_account", "Alert"): "a profile may name any topic of the account, whose ARNs have no type",
    ("member_account", "MountVaults"): "MountCapsule knows no resources",
    ("data_protection_creation", "GeneratePasswords"): "GetRandomPassword knows no resources",
}

# What SAM attaches by itself: logs, traces, interfaces in a VPC and reading the event source.
MANAGED = re.compile(
    r"(AWSLambda(Basic|VPCAccess)ExecutionRole|AWSXrayWriteOnlyAccess|AWSLambda(SQSQueue|Kinesis|DynamoDB)\w*Role)$"
)


def actions_out_of_step(declared: set[str], granted: set[str], extra: set[str]) -> Iterator[str]:
    for action in sorted(declared - granted):
        yield f"{action} is used by an adapter, but the policy does not grant it"
    for action in sorted(granted - declared - extra):
        yield f"{action} is granted, but no adapter of the handler uses it"
    for action in sorted(extra - granted):
        yield f"{action} is listed as an extra, but the policy does not grant it any more"


def wildcards(statements: Iterable[Json], waived: set[str]) -> Iterator[str]:
    for statement in statements:
        sid = statement.get("Sid", "without Sid")
        if statement["Effect"] != "Allow":
            continue
        broad = [action for action in _list(statement["Action"]) if "*" in action]
        broad += [resource for resource in _list(statement.get("Resource", [])) if _is_everything(resource)]
        if broad and sid not in waived:
            yield f"statement {sid} allows {broad[0]}: narrow it, or add a waiver with its reason"
        if statement.get("Principal") in ("*", {"AWS": "*"}) and not statement.get("Condition"):
            yield f"statement {sid} allows everybody: add a condition"
    found = {statement.get("Sid") for statement in statements}
    yield from (f"the waiver of {sid} is about no statement" for sid in sorted(waived - found))


def needed_by(definition: Json) -> set[str]:
    """Return the actions that a definition makes Step Functions use."""
    needed = set()
    for _, state in states(definition):
        if "lambda:invoke" in str(state.get("Resource", "")):
            needed.add("lambda:InvokeFunction")
        if str(state.get("Resource", "")).startswith("arn:aws:states:::states:startExecution.sync"):
            needed |= _NESTED_EXECUTION
        elif "states:startExecution" in str(state.get("Resource", "")):
            needed.add("states:StartExecution")
        if "ecs:runTask.sync" in str(state.get("Resource", "")):
            needed |= _RUN_TASK
        if state["Type"] == "Map" and is_distributed(state):
            needed |= {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}
            for field, actions in _READER_AND_WRITER.items():
                if ":s3:" in str(state.get(field, {}).get("Resource", "")):
                    needed |= actions
    return needed


# https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html: .sync hears of the end by a rule
_NESTED_EXECUTION = {
    "states:StartExecution",
    "states:DescribeExecution",
    "states:StopExecution",
    "events:PutTargets",
    "events:PutRule",
    "events:DescribeRule",
}
# https://docs.aws.amazon.com/step-functions/latest/dg/ecs-iam.html; the roles of the task are handed over to it.
_RUN_TASK = {
    "ecs:RunTask",
    "ecs:DescribeTasks",
    "ecs:StopTask",
    "events:PutTargets",
    "events:PutRule",
    "events:DescribeRule",
    "iam:PassRole",
}

# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
_READER_AND_WRITER = {
    "ItemReader": {"s3:GetObject"},
    "ResultWriter": {"s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"},
}


@pytest.mark.xdist_group("layers")
@pytest.mark.parametrize("function", functions(), ids=str)
def test_policy_grants_just_what_the_adapters_use(function: Function) -> None:
    adapters = imported(function).adapters
    silent = [name for name, actions in adapters.items() if actions is None]
    declared = {action for actions in adapters.values() for action in actions or []}
    allowed = [one for one in _function_statements(function) if one["Effect"] == "Allow"]
    granted = {action for statement in allowed for action in _list(statement["Action"])}
    extra, _ = EXTRA_ACTIONS.get((function.stack.name, function.logical_id), (set(), ""))

    problems = list(actions_out_of_step(declared, granted, extra))

    assert not silent, f"adapters without IAM: {silent}"
    assert not problems, f"{function}: " + "; ".join(problems)


@pytest.mark.parametrize("function", functions(), ids=str)
def test_managed_policies_are_those_of_logs_traces_and_event_sources(function: Function) -> None:
    role = _role(function)

    assert [arn for arn in role["ManagedPolicyArns"] if not MANAGED.search(str(arn))] == []


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_machine_may_call_just_the_functions_it_calls(machine: Machine) -> None:
    calls = [state for _, state in states(read(machine.path), "Task") if "lambda:invoke" in state["Resource"]]
    used = {text for state in calls for _, text in strings(state.get("Arguments"))}
    called = {machine.function(f"${{{name}}}").logical_id for name in machine.substitutions if f"${{{name}}}" in used}
    granted = {
        resource["Fn::GetAtt"][0]
        for statement in _machine_statements(machine)
        if "lambda:InvokeFunction" in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }

    assert granted == called


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_machine_may_do_just_what_its_definition_needs(machine: Machine) -> None:
    statements = [s for s in _machine_statements(machine) if s.get("Sid") not in EXTRA_MACHINE_STATEMENTS]
    granted = {action for statement in statements for action in _list(statement["Action"])}

    assert granted == needed_by(read(machine.path))


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_machine_may_start_itself_just_where_it_does(machine: Machine) -> None:
    itself = "{% $states.context.StateMachine.Id %}"
    hands_over = any(itself in str(state.get("Arguments")) for _, state in states(read(machine.path), "Task"))
    name = machine.properties["Name"]["Fn::Sub"]
    own = [
        statement
        for statement in _machine_statements(machine)
        if statement["Action"] == ["states:StartExecution"] and f":stateMachine:{name}" in str(statement["Resource"])
    ]
    has_children = any(is_distributed(state) for _, state in states(read(machine.path), "Map"))

    assert bool(own) == (hands_over or has_children)


@pytest.mark.parametrize("stack", [*stacks(), *standalone()], ids=str)
def test_nothing_is_allowed_by_wildcard_without_a_waiver(stack: Stack) -> None:
    problems = list(wildcards(_statements(_translated(stack)), {sid for name, sid in WILDCARDS if name == stack.name}))

    assert not problems, f"{stack}: " + "; ".join(problems)


def test_every_extra_has_its_function() -> None:
    assert EXTRA_ACTIONS.keys() <= {(function.stack.name, function.logical_id) for function in functions()}


def test_actions_out_of_step_are_reported() -> None:
    problems = list(actions_out_of_step({"s3:GetObject"}, {"s3:PutObject"}, {"kms:Decrypt"}))

    assert [problem.split()[0] for problem in problems] == ["s3:GetObject", "s3:PutObject", "kms:Decrypt"]


@pytest.mark.parametrize(
    "change",
    [
        {"Action": ["s3:*"]},
        {"Action": "s3:Get*"},
        {"Resource": "*"},
        {"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::*"]},
        {"Resource": {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:*"}},
        {"Principal": "*"},
    ],
)
def test_a_wildcard_is_reported(change: dict[str, Any]) -> None:
    narrow = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::bucket/*"}

    assert not list(wildcards([narrow], set()))
    assert len(list(wildcards([narrow | change], set()))) == 1


def test_a_waiver_that_nothing_needs_is_reported() -> None:
    assert list(wildcards([], {"Gone"})) == ["the waiver of Gone is about no statement"]


@cache
def _translated(stack: Stack) -> Json:
    return dict(translate(stack)["Resources"])


def _role(function: Function) -> Json:
    return dict(_translated(function.stack)[f"{function.logical_id}Role"]["Properties"])


def _function_statements(function: Function) -> list[Json]:
    policies = [policy["PolicyDocument"] for policy in _role(function).get("Policies", [])]
    return [_granted(statement) for policy in policies for statement in policy["Statement"]]


def _machine_statements(machine: Machine) -> list[Json]:
    role = machine.stack.resources[machine.properties["Role"]["Fn::GetAtt"][0]]["Properties"]
    return [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]


def _statements(value: Any) -> list[Json]:
    """Return every policy statement within a template, of whatever kind of policy."""
    if isinstance(value, dict):
        found = [s for s in map(_granted, _list(value.get("Statement", []))) if "Effect" in s]
        return found + [statement for inner in value.values() for statement in _statements(inner)]
    return [statement for inner in value for statement in _statements(inner)] if isinstance(value, list) else []


def _granted(statement: Json) -> Json:
    """Return a statement; of one that is there under a condition, as it is where the condition holds."""
    return dict(statement["Fn::If"][1]) if "Fn::If" in statement else statement


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_everything(resource: Any) -> bool:
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    # `${AWS::Region}` has colons of its own.
    return re.sub(r"\$\{[^}]*}", "x", str(text)).split(":", 5)[-1] == "*"
