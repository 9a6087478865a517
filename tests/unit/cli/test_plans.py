"""`gatehouse plans` over an account in moto."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from kernel import aws
from tests.support.remediation import (
    ALICE,
    BOB,
    EVIDENCE,
    LAKE,
    REMEDIATIONS,
    Remediation,
    profile,
    remediated_account,
    table,
    tables,
)


class Executions:
    """Step Functions, where every execution is as it is told to be.

    Attributes:
        status: Of all; empty where none is known.
    """

    status = "RUNNING"

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert ":execution:remediate_account:by-hand-" in executionArn
        if not self.status:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": "gone"}}, "DescribeExecution")
        return {"status": self.status, "startDate": datetime.now(UTC)}


@pytest.fixture
def executions() -> Executions:
    return Executions()


@pytest.fixture
def run(executions: Executions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remediation]:
    outputs = {
        "LakeBucketName": LAKE,
        "EvidenceBucketName": EVIDENCE,
        "ProtectionRemediationsTableName": REMEDIATIONS,
        "RemediateAccountArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:remediate_account",
    }
    with remediated_account() as made:
        clients = {"s3": aws.s3(), "dynamodb": aws.dynamodb(), "stepfunctions": executions}
        monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, clients.__getitem__, cloud))
        monkeypatch.setattr(Target, "output", lambda _, key: outputs[key])
        table("orders")
        profile(tables("orders"))
        yield made


def said(*arguments: str) -> str:
    ended = CliRunner().invoke(app, ("plans", *arguments))
    assert ended.exit_code == 0, ended.stderr
    return Text.from_ansi(ended.stdout).plain


def outcome() -> str:
    """Return what is told to have become of the latest plan, once as it is listed and once as it is shown."""
    [names, latest, *_] = [line.split("\t") for line in said().splitlines()]
    told = dict(zip(names, latest, strict=True))
    assert f"  outcome     {told['outcome']}\n" in said(told["plan"])
    return told["outcome"]


def test_plans_are_listed_the_latest_first_below_the_names_of_columns(run: Remediation) -> None:
    waiting = run.plan(1)["plan"]
    run.ask(waiting)
    edited = Remediation("by-hand-2").plan(1, dry_run=True)["plan"]
    dry = Remediation("by-hand-3").plan(1, dry_run=True)["plan"]
    aws.s3().put_object(Bucket=LAKE, Key=f"data_protection/plans/{edited}.json", Body=b"{}")

    names, *rows = [line.split("\t") for line in said().splitlines()]

    assert (names[0], names[-3:]) == ("plan", ["requested by", "outcome", "undoes"])
    assert [row[0] for row in rows] == [dry, edited, waiting]
    assert rows[0][-3:] == [ALICE, "planned only", ""]
    assert "is no plan" in rows[1][-2]
    assert rows[2][-2].startswith("waiting for approval: 0 of 1, until 20")


def test_terminal_has_short_hashes_that_show_a_plan(run: Remediation, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = run.plan(1, dry_run=True)["plan"]
    monkeypatch.setattr(Console, "is_terminal", True)

    monkeypatch.setenv("COLUMNS", "300")
    [names, row] = said().splitlines()
    assert names.split()[0] == "plan"
    assert row.split()[0] == plan[:12]
    monkeypatch.setenv("COLUMNS", "60")
    fields = [line.rstrip().split(maxsplit=1) for line in said().splitlines()]
    assert (fields[0], fields[-1][0]) == (["plan", plan[:12]], "outcome")
    assert f"Plan {plan}" in said(plan[:12])


def test_plan_is_told_to_wait_be_carried_out_and_be_done(run: Remediation, executions: Executions) -> None:
    planned = run.plan(1)
    run.approve(planned)
    assert outcome() == "being carried out: 1 not begun"

    run.work(planned)
    assert outcome() == "being carried out: 1 verified"
    executions.status = ""
    assert outcome() == "stopped: the run by-hand-1 ended before it; 1 verified"

    run.finish(planned["plan"])
    assert outcome() == "done: 1 verified"
    Remediation("by-hand-2").plan(plan=planned["plan"], dry_run=True)
    assert outcome() == "done: 1 verified"
    executions.status = "RUNNING"
    Remediation("by-hand-3").plan(plan=planned["plan"])
    assert outcome() == "being carried out: 1 verified"


def test_plan_that_undoes_another_tells_of_that_one_which_tells_of_it(run: Remediation) -> None:
    profile(tables("orders", DDB_DELPROT={}, DDB_PITR={}))
    mending = run.plan(1)
    run.approve(mending)
    run.work(mending)
    run.finish(mending["plan"])
    monday = Remediation("by-hand-2")
    undoing = monday.plan(undo=mending["plan"])

    shown = said("--all", undoing["plan"])
    _, *rows = [line.split("\t") for line in said().splitlines()]

    assert [(row[0], row[-1]) for row in rows] == [(undoing["plan"], mending["plan"]), (mending["plan"], "")]
    assert f"  undoes      the plan {mending['plan']}" in shown
    assert "Undo: Turn on deletion protection of orders. Now: Deletion protection is on." in shown
    assert 'dynamodb:update_table({"DeletionProtectionEnabled": false, "TableName": "orders"})' in shown
    assert "What the check asks does not hold any more." in shown
    assert "Left out: 1 step\n  1 not_named: does not come back, and was not asked for by name" in shown
    assert "The table cannot be restored" in shown

    monday.approve(undoing)
    monday.work(undoing)
    monday.finish(undoing["plan"])
    assert f"  outcome     done: 2 verified; 1 undone by the plan {undoing['plan']}\n" in said(mending["plan"])


def test_plan_that_waits_for_its_window_says_when_that_opens(run: Remediation) -> None:
    policy = {"windows": [{"opens": "00:00", "hours": 0.001}]}
    profile(tables("orders"), remediation=policy)
    run.approve(run.plan(1))

    assert outcome().startswith("waiting for its window: it opens 20")


def test_rejected_plan_says_by_whom(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)
    run.decide(plan, BOB, yes=False)

    assert outcome() == f"rejected: by {BOB}"


def test_run_that_could_not_begin_says_why(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.failures.append('ApprovalClosed: {"errorMessage": "Too late.", "errorType": "ApprovalClosed"}')
    run.finish(plan, approved=False)

    assert outcome() == "not carried out: ApprovalClosed: Too late."


def test_plan_without_steps_has_nothing_to_change(run: Remediation) -> None:
    run.plan(2)

    assert outcome() == "nothing to change"


def test_plan_whose_evidence_is_none_is_told_as_such(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    aws.s3().put_object(Bucket=EVIDENCE, Key=f"data_protection/evidence/{plan}/plan/0001.json", Body=b"{}")

    assert "0001.json is no record of evidence." in said().splitlines()[1]


def test_plan_is_shown_with_who_asked_who_decided_and_the_policy(run: Remediation) -> None:
    window = {"days": ["sat", "sun"], "opens": "02:00", "hours": 4, "time_zone": "Europe/Berlin"}
    profile(tables("orders"), remediation={"windows": [window], "limits": {"changes": 7}})
    plan = run.plan(1)["plan"]
    run.ask(plan)
    run.decide(plan, BOB, comment="read \x1b[2Jit")

    shown = said(plan)

    assert f"Plan {plan}" in shown
    assert "  where       account 123456789012, eu-central-1" in shown
    assert "  what        phase 1 of the profile rfc-008" in shown
    assert "  changes     1 of 1 resource, 1 are in scope" in shown
    assert f"  asked by    {ALICE} at 20" in shown
    assert f": yes by {BOB} at 20" in shown
    assert r'("read \x1b[2Jit")' in shown
    assert "  limits      7 changes, 25 % of the resources in scope or 20; protected tags: gatehouse:protected" in shown
    assert "  windows     sat, sun from 02:00 for 4 h (Europe/Berlin); open" in shown


def test_plan_is_shown_with_every_call_before_it_is_approved(run: Remediation) -> None:
    plan = run.plan(1, dry_run=True)["plan"]

    shown = said(plan)

    assert "  approval    1 person must approve; nobody is asked yet" in shown
    assert "Wave 1 of 1: 1 change" in shown
    assert "  DDB-PITR/dynamodb-table/orders/0: planned, high" in shown
    assert "    change      Turn on point-in-time recovery of orders. Now: Point-in-time recovery is off." in shown
    assert '    call        dynamodb:update_continuous_backups({"PointInTimeRecoverySpecification": ' in shown
    assert "    inverse     dynamodb:update_continuous_backups(" in shown
    assert "    class       A, the inverse call restores the state before; undone by itself where it does not" in shown


def test_plan_is_shown_with_the_state_of_each_step(run: Remediation) -> None:
    planned = run.plan(1)
    run.work(planned)

    assert "  DDB-PITR/dynamodb-table/orders/0: verified at 20" in said(planned["plan"])


def test_plan_is_shown_with_the_conflicts_that_its_steps_are_in(run: Remediation) -> None:
    profile(tables("orders", DDB_PITR={"rpo_minutes": 5}))

    shown = said(run.plan(1, dry_run=True)["plan"])

    assert "Conflict RPO-PITR of arn:aws:dynamodb:eu-central-1:123456789012:table/orders: " in shown


def test_what_a_plan_leaves_out_is_counted_and_with_all_told_one_by_one(run: Remediation) -> None:
    profile(tables("orders", DDB_PITR={}, DDB_TTL={"attribute": "gone"}, DDB_KMS={"key": "alias/orders"}))
    plan = run.plan(1, dry_run=True)["plan"]

    shown, every = said(plan), said(plan, "--all")

    assert "Left out: 2 findings; --all tells each" in shown
    assert "  1 other_phase: belongs to another phase" in shown
    orders = " of arn:aws:dynamodb:eu-central-1:123456789012:table/orders: "
    for check in ("DDB-TTL", "DDB-KMS"):
        assert (f"    {check}{orders}" in shown, f"    {check}{orders}" in every) == (False, True)


def test_unknown_plan_is_told_in_a_sentence(run: Remediation) -> None:
    run.plan(1)
    for given, told in (("0" * 64, "There is no plan 0000"), ("zz", "'zz' is no hash")):
        ended = CliRunner().invoke(app, ("plans", given))
        assert (ended.exit_code, told in ended.stderr) == (1, True)
