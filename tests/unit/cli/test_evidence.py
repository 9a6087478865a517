"""`gatehouse evidence` over an account in moto."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from data_protection.errors import EvidenceBroken
from kernel import aws
from tests.support.remediation import (
    ALICE,
    BOB,
    EVIDENCE,
    Remediation,
    profile,
    remediated_account,
    table,
    tables,
)

ORDERS = "DDB-PITR/dynamodb-table/orders/0"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remediation]:
    with remediated_account() as made:
        monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, {"s3": aws.s3()}.__getitem__, cloud))
        monkeypatch.setattr(Target, "output", lambda _, key: {"EvidenceBucketName": EVIDENCE}[key])
        table("orders")
        profile(tables("orders"))
        yield made


def said(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, ("evidence", *arguments))
    return ended.exit_code, " ".join((ended.stdout + ended.stderr).split())


def rewrite(plan: str, record: str) -> None:
    """Let a record tell of something else, as whoever may write into the bucket could."""
    key = f"data_protection/evidence/{plan}/{record}"
    body = json.loads(aws.s3().get_object(Bucket=EVIDENCE, Key=key)["Body"].read())
    body["content"]["call"] = "nothing"
    aws.s3().put_object(Bucket=EVIDENCE, Key=key, Body=json.dumps(body).encode())


def test_evidence_is_shown_and_is_whole_with_the_head_that_the_run_told(run: Remediation) -> None:
    planned = run.plan(1)
    run.work(planned)
    head = run.finish(planned["plan"])["head"]

    code, told = said(planned["plan"])

    assert code == 0
    assert f"✓ 6 records in 2 chains, all as they were written. The head of the plan is {head}." in told
    assert f"planned by {ALICE}" in told
    assert f"approved by {BOB}" in told
    assert '"reason": "Point-in-time recovery is off."' in told
    assert "No end of a run" not in told


def test_record_that_was_changed_is_told_and_ends_the_command_with_1(run: Remediation) -> None:
    planned = run.plan(1)
    run.work(planned)
    run.finish(planned["plan"])
    rewrite(planned["plan"], f"{ORDERS.replace('/', '.')}/0001.json")

    code, told = said(planned["plan"])

    assert code == 1
    assert f"✗ The evidence is not as it was written. The chain of {ORDERS} is broken: Record 1 is not the one" in told


def test_run_does_not_end_on_a_chain_of_its_plan_that_was_changed(run: Remediation) -> None:
    planned = run.plan(1)
    run.work(planned)
    rewrite(planned["plan"], "plan/0000.json")

    with pytest.raises(EvidenceBroken, match="Record 0 is not the one"):
        run.finish(planned["plan"])


def test_what_is_no_record_is_told(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    aws.s3().put_object(Bucket=EVIDENCE, Key=f"data_protection/evidence/{plan}/plan/0001.json", Body=b"{}")

    code, told = said(plan)

    assert (code, "0001.json is no record of evidence." in told) == (1, True)


def test_first_digits_of_a_hash_are_enough(run: Remediation) -> None:
    plan = run.plan(1)["plan"]

    code, told = said(plan[:8])

    assert (code, "✓ 1 record in 1 chain, all as they were written." in told) == (0, True)
    assert "There is no evidence of a plan whose hash begins with 00000000" in said("0" * 8)[1]


@pytest.mark.usefixtures("run")
def test_plan_that_nobody_made_has_no_evidence() -> None:
    assert said("0" * 64) == (1, f"✗ There is no evidence of a plan {'0' * 64}.")
