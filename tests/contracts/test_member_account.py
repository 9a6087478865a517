"""The part of an account that is assessed: a role that reads, and one a phase that changes what its mutators change."""

from typing import Any

import pytest

from data_protection.adapters.snapshots import Snapshots
from data_protection.checks.catalogue import catalogue
from data_protection.estate import Account
from tests.support.templates import Json, standalone

_, _, MEMBER = standalone()
PHASES = sorted({check.mutator.phase for check in catalogue().values() if check.mutator is not None})
ROLES = ["AssessRole", *(f"RemediatePhase{phase}Role" for phase in PHASES)]


def role(name: str) -> Json:
    return dict(MEMBER.resources[name]["Properties"])


def granted(name: str) -> set[str]:
    statements = [s for policy in role(name)["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    return {action for statement in statements if statement["Effect"] == "Allow" for action in statement["Action"]}


def test_assessing_role_may_read_what_snapshots_read_and_nothing_else() -> None:
    assert granted("AssessRole") == Snapshots.IAM


@pytest.mark.parametrize("phase", PHASES)
def test_role_of_a_phase_may_do_what_its_mutators_need_and_nothing_else(phase: int) -> None:
    mutators = [check.mutator for check in catalogue().values() if check.mutator is not None]

    needed = {action for mutator in mutators if mutator.phase == phase for action in mutator.actions}

    assert granted(f"RemediatePhase{phase}Role") == needed


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_is_off_until_it_is_allowed_here(phase: int) -> None:
    assert MEMBER.resources[f"RemediatePhase{phase}Role"]["Condition"] == f"HasPhase{phase}"
    assert MEMBER.body["Conditions"][f"HasPhase{phase}"] == {
        "Fn::Equals": [{"Ref": f"RemediatePhase{phase}"}, "enabled"]
    }
    assert MEMBER.body["Parameters"][f"RemediatePhase{phase}"]["Default"] == "disabled"


def test_every_role_is_of_a_phase_or_assesses() -> None:
    assert list(MEMBER.resources) == ROLES


@pytest.mark.parametrize("name", ROLES)
def test_only_gatehouses_roles_with_the_external_id_may_assume_it_for_an_hour(name: str) -> None:
    assumes, tags = role(name)["AssumeRolePolicyDocument"]["Statement"]

    for statement in (assumes, tags):
        assert statement["Principal"]["AWS"]["Fn::Sub"].endswith("::${GatehouseAccountId}:root")
        assert statement["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"].endswith(
            ":role/${GatehouseStackName}-*"
        )
    assert assumes["Action"] == "sts:AssumeRole"
    assert assumes["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert tags["Action"] == "sts:TagSession"
    assert tags["Condition"]["ForAllValues:StringEquals"] == {"aws:TagKeys": ["gatehouse:run", "gatehouse:step"]}
    assert role(name)["MaxSessionDuration"] == 3600


@pytest.mark.parametrize("name", ROLES)
def test_everything_but_tls_is_refused(name: str) -> None:
    [refusal] = [policy for policy in role(name)["Policies"] if policy["PolicyName"] == "tls-only"]
    [statement] = refusal["PolicyDocument"]["Statement"]

    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_external_id_has_to_be_given_and_is_not_shown() -> None:
    external_id = MEMBER.body["Parameters"]["ExternalId"]

    assert "Default" not in external_id
    assert external_id["NoEcho"] is True


def test_its_roles_are_what_an_estate_takes() -> None:
    def arn(name: str) -> dict[str, Any]:
        return {"arn": f"arn:aws:iam::222222222222:role/{role(name)['RoleName']}", "external_id": "gatehouse-7f3a"}

    account = Account.model_validate(
        {
            "account": "222222222222",
            "regions": ["eu-central-1"],
            "assess": arn("AssessRole"),
            "remediate": {phase: arn(f"RemediatePhase{phase}Role") for phase in PHASES},
        }
    )

    assert set(account.remediate) == set(PHASES)
