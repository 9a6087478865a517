"""Accounts beside the own one, as they are deployed: everything in roles that allow no more than they must."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.deploy import STACK
from local.endpoints import ACCOUNT
from local.paths import ROOT
from tests.e2e.conftest import Gatehouse, ended
from tests.support.cloud import OTHER_ACCOUNT as MEMBER
from tests.support.cloud import eventually
from tests.support.deployed_protection import findings, keep_profile, make_tables, recovers

pytestmark = pytest.mark.cloud

EXTERNAL_ID = "gatehouse-7f3a"
ASSESS_ROLE = f"arn:aws:iam::{MEMBER}:role/gatehouse-data-protection-assess"


@pytest.fixture(scope="module")
def refused_on_purpose() -> tuple[str, ...]:
    """Return the role that STS refuses to whoever gives another external id."""
    return (ASSESS_ROLE,)


@pytest.fixture(scope="module", autouse=True)
def _member(application: Gatehouse) -> None:
    """Give another account its part of data protection, phase 1 of remediation allowed."""
    parameters = {
        "GatehouseAccountId": ACCOUNT,
        "GatehouseStackName": STACK,
        "ExternalId": EXTERNAL_ID,
        "RemediatePhase1": "enabled",
    }
    stacks = application.cloud.client("cloudformation", MEMBER)
    stacks.create_stack(
        StackName="gatehouse-data-protection",
        TemplateBody=(ROOT / "stacks/member_account.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    eventually(lambda: ended(stacks, "gatehouse-data-protection"))


@contextmanager
def two_accounts(gatehouse: Gatehouse, external_id: str = EXTERNAL_ID) -> Iterator[None]:
    """Yield while the estate has the other account beside the own one."""

    def role(name: str) -> dict[str, str]:
        return {"arn": f"arn:aws:iam::{MEMBER}:role/gatehouse-data-protection-{name}", "external_id": external_id}

    regions = [gatehouse.cloud.state.region]
    member = {"account": MEMBER, "regions": regions, "assess": role("assess"), "remediate": {"1": role("remediate-1")}}
    gatehouse.keep_estate({"accounts": [{"account": ACCOUNT, "regions": regions}, member]})
    try:
        yield
    finally:
        gatehouse.keep_estate({})


def test_another_account_is_judged_and_mended_in_its_own_roles(gatehouse: Gatehouse) -> None:
    there = gatehouse.cloud.client("dynamodb", MEMBER)
    keep_profile(gatehouse, ["ledger"], preapproved_phases=[1])
    make_tables(there, ["ledger"])
    make_tables(gatehouse.client("dynamodb"), ["ledger"])
    asked = {"account": MEMBER, "region": there.meta.region_name, "phases": [1], "requested_by": "alice"}

    with two_accounts(gatehouse):
        before = gatehouse.run("AssessAccountArn")
        mended = gatehouse.run("RemediateAccountArn", **asked, dry_run=False)
        after = gatehouse.run("AssessAccountArn", accounts=[MEMBER])

    assert (before["status"], mended["status"], after["status"]) == ("SUCCEEDED",) * 3, (before, mended, after)
    for account in (ACCOUNT, MEMBER):
        assert findings(gatehouse, before["name"], account)["DDB-PITR", "ledger"] == "fail"
    assert findings(gatehouse, after["name"], MEMBER) == {("DDB-PITR", "ledger"): "pass"}
    assert recovers(there, "ledger")
    assert not recovers(gatehouse.client("dynamodb"), "ledger")


def test_account_that_refuses_its_role_fails_the_run_after_the_others_are_assessed(gatehouse: Gatehouse) -> None:
    keep_profile(gatehouse, ["nowhere"])

    with two_accounts(gatehouse, external_id="of-somebody-else"):
        described = gatehouse.run("AssessAccountArn")

    assert (described["status"], described["error"]) == ("FAILED", "AssessmentIncomplete")
    assert f"STS refuses the role {ASSESS_ROLE}" in described["cause"]
    assert gatehouse.refusals(), "what is refused is not in the logs, where all modules look for it"
    assert findings(gatehouse, described["name"])["DDB-PITR", "nowhere"] == "fail"


def test_estate_that_is_gone_is_told_of_and_no_smaller_estate(gatehouse: Gatehouse) -> None:
    gatehouse.client("s3").delete_object(Bucket=gatehouse.output("LakeBucketName"), Key="data_protection/estate.json")
    try:
        described = gatehouse.run("AssessAccountArn")
    finally:
        gatehouse.keep_estate({})

    assert described["status"] == "FAILED"
    assert "data_protection/estate.json is not there" in described["cause"]
