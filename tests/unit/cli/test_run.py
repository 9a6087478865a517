import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from cli import report, run
from cli.target import NotDeployed, Target
from data_protection.remediation.approvals import Approval, Decision
from data_protection.remediation.evidence import Event, Record
from tests.unit.cli.scripted_machine import ARN, BEGIN, Scene, ScriptedMachine
from tests.unit.cli.test_follow import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Callable

REJECTED = Approval(
    plan="ab" * 32,
    requested_by="arn:aws:iam::000000000000:user/alice",
    needed=1,
    expires=datetime(2026, 11, 24, tzinfo=UTC),
    decisions=(
        Decision(
            approver="arn:aws:iam::000000000000:user/bob",
            approves=False,
            at=datetime(2026, 11, 21, 5, 7, tzinfo=UTC),
            comment="not on a Friday",
        ),
    ),
)

_MACHINES = (
    "assess_account",
    "create_secure_resources",
    "drill_restore",
    "lock_objects",
    "process_objects",
    "remediate_account",
)


class Machines(ScriptedMachine):
    """A script with deployed machines in front of it."""

    started: dict[str, Any]
    entry: dict[str, Any] | None = None
    records: tuple[Record, ...] = ()
    user: str = ""

    def of(self, user: str | None) -> "Callable[[str], Machines]":
        self.user = f"user/{user}" if user else "root"
        return lambda _: self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": f"arn:aws:iam::000000000000:{self.user}"}

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": self.entry} if self.entry else {}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"Body": io.BytesIO(self.records[int(Key)].model_dump_json().encode()), "ETag": ""}

    def get_paginator(self, _: str) -> "Machines":
        return self

    def paginate(self, **of: Any) -> list[dict[str, Any]]:
        if "Bucket" in of:
            return [{"Contents": [{"Key": str(number), "Size": 1} for number in range(len(self.records))]}]
        arn = ARN.replace(":execution:", ":stateMachine:").partition("gatehouse")[0]
        names = [f"gatehouse-local-{name}" for name in _MACHINES]
        return [{"stateMachines": [{"name": name, "stateMachineArn": f"{arn}{name}"} for name in names]}]

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return super().describe_execution(executionArn=executionArn) | {"input": self.started["input"]}

    def start_execution(self, **given: Any) -> dict[str, str]:
        self.started = given
        return {"executionArn": f"{given['stateMachineArn'].replace(':stateMachine:', ':execution:')}:run-1"}


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    run.register(made)
    report.register(made)
    return made


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Machines:
    machines = Machines([Scene(DONE, None, "SUCCEEDED", output='{"rows_out": 9}')])
    monkeypatch.setattr(Target, "of", lambda env, cloud, user: Target(env, machines.of(user), cloud, user))
    return machines


def test_result_goes_to_stdout_and_the_rest_to_stderr(app: typer.Typer, deployed: Machines) -> None:
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", '{"feed": "47"}', "--name", "by-hand"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"rows_out": 9}
    assert "succeeded" in result.stderr
    assert deployed.started["name"] == "by-hand"
    assert json.loads(deployed.started["input"]) == {"feed": "47"}


@pytest.mark.parametrize("way", ["@file", "-"])
def test_input_comes_from_a_file_or_from_stdin(app: typer.Typer, deployed: Machines, way: str, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"feed": "3"}')
    given = f"@{file}" if way == "@file" else "-"
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", given], input='{"feed": "3"}')
    assert result.exit_code == 0
    assert json.loads(deployed.started["input"]) == {"feed": "3"}


def test_failed_execution_fails_the_command(app: typer.Typer, deployed: Machines) -> None:
    deployed.scenes = [Scene(FAILED, None, "FAILED", error="ReconciliationFailed", cause="1 disagreement(s)")]
    result = CliRunner().invoke(app, ["run", "process_objects"])
    assert result.exit_code == 1
    assert "ReconciliationFailed: 1 disagreement(s)" in result.stderr
    assert "gatehouse logs" in result.stderr
    assert result.stdout == ""


def test_interrupt_leaves_the_execution_running_and_says_how_to_follow_it(
    app: typer.Typer, deployed: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed, "describe_execution", interrupted)
    result = CliRunner().invoke(app, ["run", "process_objects"])
    assert result.exit_code == 130
    assert "gatehouse follow process_objects run-1 --env local" in result.stderr


def test_unknown_machine_lists_those_there_are(app: typer.Typer, deployed: Machines) -> None:
    result = CliRunner().invoke(app, ["run", "process_object"])
    assert result.exit_code == 1
    assert "no state machine 'process_object'" in result.stderr
    assert f"Deployed are: {', '.join(_MACHINES)}." in result.stderr


@pytest.mark.parametrize(("options", "caller"), [([], "root"), (["--as", "alice"], "user/alice")])
def test_machine_that_takes_who_asks_is_told_the_caller(
    app: typer.Typer, deployed: Machines, options: list[str], caller: str
) -> None:
    CliRunner().invoke(app, ["run", "remediate_account", "--input", '{"phases": [1]}', *options])
    given = {"phases": [1], "requested_by": f"arn:aws:iam::000000000000:{caller}"}
    assert json.loads(deployed.started["input"]) == given


def test_who_asks_is_left_as_it_is_given_and_not_added_where_nobody_is_asked_for(
    app: typer.Typer, deployed: Machines
) -> None:
    CliRunner().invoke(app, ["run", "remediate_account", "--input", '{"requested_by": "somebody"}'])
    assert json.loads(deployed.started["input"]) == {"requested_by": "somebody"}
    CliRunner().invoke(app, ["run", "process_objects"])
    assert json.loads(deployed.started["input"]) == {}


def test_wrong_input_is_told_by_field_with_what_the_machine_takes(app: typer.Typer, deployed: Machines) -> None:
    message = "`phases[0]`: 7 is not one of 1 to 4."
    cause = json.dumps({"errorMessage": message, "errorType": "ValidationError", "stackTrace": ["  File handler.py"]})
    deployed.scenes = [Scene(FAILED, None, "FAILED", error="ValidationError", cause=cause)]
    result = CliRunner().invoke(app, ["run", "remediate_account"])
    assert result.exit_code == 1
    assert ": ValidationError: `phases[0]`: 7 is not one of 1 to 4.\n" in result.stderr
    assert 'Next: correct the input. remediate_account takes {"account": "number", "region": name, ' in result.stderr
    assert "handler.py" not in result.stderr


def test_assessment_ends_with_its_score_and_how_to_fetch_its_report(app: typer.Typer, deployed: Machines) -> None:
    report = {"percent": 33.3, "coverage": 90, "counts": {"pass": 3, "fail": 6, "warn": 0, "unknown": 1}}
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps({"report": report}))]
    result = CliRunner().invoke(app, ["run", "assess_account"])
    assert "Score 33.3 %, coverage 90 %: 3 pass, 6 fail, 1 unknown.\n" in result.stderr
    assert "Its report: gatehouse assessments run-1 --env local" in result.stderr


def test_assessment_of_which_a_place_failed_has_a_report_all_the_same(app: typer.Typer, deployed: Machines) -> None:
    events = [("TaskStateExited", "ReportAssessment"), ("ChoiceStateEntered", "AreAllAssessed")]
    deployed.scenes = [Scene(events, None, "FAILED", error="AssessmentIncomplete", cause="one place")]
    assert "gatehouse assessments run-1" in CliRunner().invoke(app, ["run", "assess_account"]).stderr
    deployed.scenes = [Scene(FAILED, None, "FAILED", error="AssessmentIncomplete", cause="no places")]
    assert "gatehouse assessments" not in CliRunner().invoke(app, ["run", "assess_account"]).stderr


def planned(**more: Any) -> tuple[str, str]:
    """Return the event in which a plan is made that is to be carried out."""
    payload = {"plan": "ab" * 32, "dry_run": False, "opens": "2026-11-21T05:00:00Z", **more}
    return "TaskSucceeded", json.dumps({"StatusCode": 200, "Payload": payload})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_LOOK_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_plan_that_waits_for_people_is_named_once_with_how_it_is_approved(app: typer.Typer, deployed: Machines) -> None:
    asked = [("TaskStateEntered", "PlanRemediation"), planned(), ("TaskStateExited", "PlanRemediation")]
    asked.append(("TaskStateEntered", "RequestApproval"))
    ended = [*asked, ("TaskStateExited", "RequestApproval"), ("ExecutionFailed", "")]
    deployed.page = 10
    deployed.scenes = [Scene(asked), Scene(asked), Scene(ended, None, "FAILED")]
    said = CliRunner().invoke(app, ["run", "remediate_account"]).stderr
    assert said.count("waits for approval: gatehouse plans abababababab --env local\n") == 1
    assert "Somebody else approves it: gatehouse approve abababababab --env local\n" in said


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("machine", "state", "later", "opens"),
    [
        ("remediate_account", "WaitForWindow", [], "2099-11-21 05:00"),
        (
            "remediate_account",
            "WaitForWindow",
            [{"approved": True, "opens": "2099-11-28T02:00:00Z"}],
            "2099-11-28 02:00",
        ),
        ("lock_objects", "WaitToLock", [{"Payload": {"job": {}, "opens": ""}}], "2099-11-21 05:00"),
    ],
)
def test_window_that_is_waited_for_is_told_once_with_when_it_opens(
    app: typer.Typer, deployed: Machines, *, machine: str, state: str, later: list[Any], opens: str
) -> None:
    waits = [planned(opens="2099-11-21T05:00:00Z"), *(("TaskSucceeded", json.dumps(each)) for each in later)]
    waits.append(("WaitStateEntered", state))
    ended = [*waits, ("WaitStateExited", state), ("ExecutionFailed", "")]
    deployed.page = 10
    deployed.scenes = [Scene(waits), Scene(waits), Scene(ended, None, "FAILED")]
    said = CliRunner().invoke(app, ["run", machine]).stderr
    assert said.count(f"waits for its window: opens {opens} UTC\n") == 1


@pytest.mark.usefixtures("impatient")
def test_window_that_is_open_is_not_told(app: typer.Typer, deployed: Machines) -> None:
    waits = [planned(), ("WaitStateEntered", "WaitForWindow")]
    deployed.scenes = [Scene(waits), Scene([*waits, ("ExecutionFailed", "")], None, "FAILED")]
    assert "window" not in CliRunner().invoke(app, ["run", "remediate_account"]).stderr


def test_dry_run_of_a_remediation_ends_with_how_to_go_on(app: typer.Typer, deployed: Machines) -> None:
    planned = {"plan": "ab" * 32, "undoes": "", "changes": 2, "omitted": {}, "dry_run": True}
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps(planned))]
    said = CliRunner().invoke(app, ["run", "remediate_account"]).stderr
    assert "The plan has 2 changes. Read it: gatehouse plans abababababab --env local\n" in said
    assert (
        f"""gatehouse run remediate_account --env local --input '{{"plan": "{"ab" * 32}", "dry_run": false}}'""" in said
    )
    assert "Left out" not in said
    planned["changes"] = 0
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps(planned))]
    assert "There is nothing to change." in CliRunner().invoke(app, ["run", "remediate_account"]).stderr


@pytest.mark.parametrize(
    ("changes", "undoes", "said"),
    [
        (6, "", ("5 findings", '"named": ["CHECK"] in the input')),
        (0, "cd" * 32, ("5 steps", "gatehouse undo cdcdcdcdcdcd --named CHECK --env local")),
    ],
)
def test_plan_is_told_with_what_it_leaves_out_and_why(
    app: typer.Typer, deployed: Machines, changes: int, undoes: str, said: tuple[str, str]
) -> None:
    what, how = said
    omitted = {"undone": 1, "not_named": 4}
    planned = {"plan": "ab" * 32, "undoes": undoes, "changes": changes, "omitted": omitted, "dry_run": True}
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps(planned))]
    told = CliRunner().invoke(app, ["run", "remediate_account"]).stderr
    assert f"Left out: {what}: 4 not_named (does not come back, and was not asked for by name); 1 undone (" in told
    assert f"What is not_named is asked for by its check: {how}\n" in told
    assert "Each of them: gatehouse plans abababababab --all --env local\n" in told


def test_remediation_ends_with_where_to_see_what_became_of_it(app: typer.Typer, deployed: Machines) -> None:
    done = {"approved": True, "planned": {"plan": "ab" * 32}, "finished": {}}
    failed = {"error": "RemediationIncomplete", "cause": "S3-BPA/x/0: It was throttled."}
    deployed.page = 10
    for scene, plan in (
        (Scene(DONE, None, "SUCCEEDED", output=json.dumps(done)), "ab" * 6),
        (Scene([planned(plan="cd" * 32), ("ExecutionFailed", "")], None, "FAILED", **failed), "cd" * 6),
    ):
        deployed.scenes = [scene]
        said = CliRunner().invoke(app, ["run", "remediate_account"]).stderr
        assert f"What became of each step: gatehouse plans {plan} --env local\n" in said
        assert f"The proof of it: gatehouse evidence {plan} --env local\n" in said
    assert "RemediationIncomplete: S3-BPA/x/0: It was throttled." in said
    deployed.scenes = [Scene(FAILED, None, "FAILED", error="PlanTooLarge", cause="Too many.")]
    assert "gatehouse plans" not in CliRunner().invoke(app, ["run", "remediate_account"]).stderr


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("other", "dry_run", "told"), [("run-0", False, 1), ("run-0", True, 0), ("run-1", False, 0)])
def test_plan_that_another_run_has_already_is_told_with_where_to_look(
    app: typer.Typer, deployed: Machines, monkeypatch: pytest.MonkeyPatch, other: str, told: int, *, dry_run: bool
) -> None:
    monkeypatch.setattr(Target, "output", lambda _, key: key)
    begun = [("TaskStateEntered", "PlanRemediation"), planned(), ("TaskStateExited", "PlanRemediation")]
    begun.append(("ChoiceStateEntered", "WhatIsPlanned"))
    deployed.page = 10
    deployed.records = tuple(
        Record(number=0, previous="", plan="", step="", event=Event.PLANNED, at=BEGIN, principal="", content=content)
        for content in ({"run": other, "dry_run": dry_run}, {"run": "run-1", "dry_run": False})
    )
    deployed.scenes = [*[Scene(begun)] * 4, Scene([*begun, ("ExecutionFailed", "")], None, "FAILED")]
    said = CliRunner().invoke(app, ["run", "remediate_account"]).stderr
    assert said.count("The run run-0 waits with this plan already, or carries it out; no step is made twice.") == told
    assert said.count("How far it is: gatehouse plans abababababab --env local\n") == told


def test_simulation_of_a_lock_ends_with_what_it_would_do_and_how_to_go_on(app: typer.Typer, deployed: Machines) -> None:
    simulated = {"simulation": "ab" * 32, "locked": 4, "size": 2048, "until": "2027-11-22T05:00:00Z", "refused": 0}
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps({**simulated, "approvers": 2}))]
    given = ["--input", '{"bucket": "recordings", "days": 365}', "--as", "alice"]
    said = CliRunner().invoke(app, ["run", "lock_objects", *given]).stderr
    assert "4 versions of recordings would become undeletable, 2 KB, the last until 2027-11-22.\n" in said
    assert "Its report: gatehouse results run-1 --env local\n" in said
    assert "2 others approve it: gatehouse approve abababababab --env local\n" in said
    command = f"""gatehouse run lock_objects --env local --as alice --input '{{"apply": "{"ab" * 32}"}}'"""
    assert f"Then have it applied: {command}\n" in said


def test_plan_of_a_creation_ends_with_how_it_is_made(app: typer.Typer, deployed: Machines) -> None:
    out = {"request": "shop", "calls": 2, "counts": {"missing": 1}}
    for calls in (2, 0):
        deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps({**out, "calls": calls}))]
        said = CliRunner().invoke(app, ["run", "create_secure_resources"]).stderr
        command = """gatehouse run create_secure_resources --env local --input '{"request": "shop", "apply": true}'"""
        assert (f"Have them made: {command}\n" in said) is bool(calls)
        assert "Its report: gatehouse results run-1 --env local\n" in said


def test_drill_whose_count_failed_has_a_report_all_the_same(app: typer.Typer, deployed: Machines) -> None:
    for state, told in (("CountDrill", True), ("CheckDrill", False)):
        deployed.scenes = [Scene([("TaskStateEntered", state)], None, "FAILED", error="DrillFailed", cause="why")]
        said = CliRunner().invoke(app, ["run", "drill_restore"]).stderr
        assert ("Its report: gatehouse results run-1" in said) is told


@pytest.mark.parametrize(
    ("entry", "who"),
    [
        (
            {"approval": {"S": REJECTED.model_dump_json()}},
            ' by arn:aws:iam::000000000000:user/bob at 2026-11-21 05:07 UTC ("not on a Friday")',
        ),
        (None, ""),
    ],
)
def test_rejected_plan_is_told_with_who_and_fails_the_command(
    app: typer.Typer,
    deployed: Machines,
    monkeypatch: pytest.MonkeyPatch,
    entry: dict[str, Any] | None,
    who: str,
) -> None:
    monkeypatch.setattr(Target, "output", lambda _, key: key)
    deployed.entry = entry
    done = {"approved": False, "planned": {"plan": "ab" * 32}, "finished": {}}
    deployed.scenes = [Scene(DONE, None, "SUCCEEDED", output=json.dumps(done))]
    result = CliRunner().invoke(app, ["run", "remediate_account"])
    assert result.exit_code == 1
    assert f"The plan abababababab was rejected{who}; nothing was changed.\n" in result.stderr
    assert "gatehouse plans abababababab --env local" in result.stderr
    assert "succeeded" not in result.stderr.splitlines()[-3]
    assert json.loads(result.stdout) == done


@pytest.mark.parametrize(("given", "said"), [("{", "is not JSON"), ("@nowhere.json", "cannot be read: No such file")])
def test_unusable_input_is_refused_before_anything_starts(app: typer.Typer, given: str, said: str) -> None:
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", given])
    assert result.exit_code == 1
    assert said in result.stderr


def test_missing_output_names_stack_output_and_remedy() -> None:
    class Stacks:
        def describe_stacks(self, **_: Any) -> dict[str, Any]:
            return {"Stacks": [{"Outputs": [{"OutputKey": "LakeBucketName", "OutputValue": "lake"}]}]}

    target = Target("dev", lambda _: Stacks())
    assert target.output("LakeBucketName") == "lake"
    with pytest.raises(NotDeployed, match=r"no output 'RunsBucketName' \(it has: LakeBucketName\).*--env dev"):
        target.output("RunsBucketName")
