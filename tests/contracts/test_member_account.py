"""The part of an account that is assessed: a role that reads, and one a phase that changes what its mutators change."""

from collections.abc import Iterator
from typing import Any

import pytest

from data_protection.adapters.calls import Calls
from data_protection.checks.catalogue import catalogue
from data_protection.estate import Account
from tests.support.acting import acting
from tests.support.statements import statements as every_statement
from tests.support.templates import Json, stacks, standalone

_, _, MEMBER = standalone()
PHASES = sorted({check.mutator.phase for check in catalogue().values() if check.mutator is not None})
ROLES = ["AssessRole", *(f"RemediatePhase{phase}Role" for phase in PHASES)]


def role(name: str) -> Json:
    return dict(MEMBER.resources[name]["Properties"])


def inside(given: Json) -> tuple[Json, str]:
    """Return a policy or statement and the condition under which it is there, empty for none."""
    return (given["Fn::If"][1], given["Fn::If"][0]) if "Fn::If" in given else (given, "")


def statements(name: str) -> Iterator[tuple[Json, set[str]]]:
    """Yield what a role may do, each statement with the conditions under which it is there."""
    for policy, of_policy in map(inside, role(name)["Policies"]):
        for statement, of_statement in map(inside, policy["PolicyDocument"]["Statement"]):
            if statement["Effect"] == "Allow":
                yield statement, {of_policy, of_statement} - {""}


def granted(name: str, *conditions: str) -> set[str]:
    """Return the actions that a role may do where these conditions hold."""
    return {action for s, needed in statements(name) if needed <= set(conditions) for action in s["Action"]}


def used(rights: str) -> set[str]:
    return {action for adapter in acting(rights) for action in adapter.IAM}


def needed_in(phase: int) -> set[str]:
    mutators = [check.mutator for check in catalogue().values() if check.mutator is not None]
    return {action for mutator in mutators if mutator.phase == phase for action in mutator.actions}


def test_adapters_that_act_in_a_role_are_found_by_the_source() -> None:
    assert {adapter.__name__ for adapter in acting("assess")} >= {"Snapshots", "Listing"}
    assert {adapter.__name__ for adapter in acting("lock")} >= {"BucketReader", "RetentionWriter"}


def test_assessing_role_may_read_what_the_adapters_read_that_act_in_it_and_nothing_else() -> None:
    assert granted("AssessRole") == used("assess")


def test_only_what_makes_the_calls_of_mutators_acts_in_a_role_of_a_phase() -> None:
    assert acting("remediate")
    assert all(issubclass(adapter, Calls) for adapter in acting("remediate"))


@pytest.mark.parametrize("phase", PHASES)
def test_role_of_a_phase_may_do_what_its_mutators_need_and_nothing_else(phase: int) -> None:
    assert granted(f"RemediatePhase{phase}Role", "HasKeyPolicies") == needed_in(phase)


def test_role_that_locks_may_do_what_the_adapters_do_that_act_in_it_and_nothing_else() -> None:
    name, conditions = "RemediatePhase4Role", ("HasLocks", "HasLockCompliance")

    assert granted(name, *conditions) == used("lock") | needed_in(4)
    assert granted(name, *conditions) - granted(name, "HasLocks") == {"s3:BypassGovernanceRetention"}


def test_objects_are_locked_in_the_buckets_that_are_named_and_in_no_other() -> None:
    locking = [s for s, needed in statements("RemediatePhase4Role") if "HasLocks" in needed]

    assert {"Ref": "LockBucketArns"} in [s["Resource"] for s in locking]
    assert all("LockBucketArns" in str(s["Resource"]) for s in locking if s["Sid"] != "LookAtLogging")
    assert MEMBER.body["Parameters"]["LockBucketArns"]["Default"] == ""


def test_policies_of_keys_are_changed_only_where_that_is_allowed_by_itself() -> None:
    here = [needed for s, needed in statements("RemediatePhase1Role") if "kms:PutKeyPolicy" in s["Action"]]

    assert here == [{"HasKeyPolicies"}]
    assert MEMBER.body["Conditions"]["HasKeyPolicies"] == {"Fn::Equals": [{"Ref": "ChangeKeyPolicies"}, "enabled"]}
    assert MEMBER.body["Parameters"]["ChangeKeyPolicies"]["Default"] == "disabled"


def kms_statements() -> Iterator[tuple[str, Json, str]]:
    """Yield each statement of the domain that allows the use of keys, with the condition that it stands under."""
    for stack in (*(one for one in stacks() if one.name.startswith("data_protection")), MEMBER):
        for statement, condition in every_statement(dict(stack.resources)):
            if statement["Effect"] == "Allow" and any(action.startswith("kms:") for action in statement["Action"]):
                yield f"{stack.name}/{statement['Sid']}", statement, condition


def test_keys_of_others_are_used_through_services_alone() -> None:
    # Gatehouse's own key is the one that a stack is given by its ARN.
    using = {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"}
    of_others = {
        name: statement
        for name, statement, _ in kms_statements()
        if using & set(statement["Action"]) and statement["Resource"] != {"Ref": "KeyArn"}
    }

    assert "member_account/LetServicesUseKeys" in of_others
    for name, statement in of_others.items():
        via = [keys["kms:ViaService"] for keys in statement["Condition"].values() if "kms:ViaService" in keys]
        assert len(via) == 1, name
        assert set(statement["Action"]) <= {*using, "kms:DescribeKey"}, name
        if "kms:CreateGrant" in statement["Action"]:
            assert statement["Action"] == ["kms:CreateGrant"], name
            assert statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}, name


def test_policies_of_keys_are_an_opt_in_of_their_own_everywhere() -> None:
    changing = {name: condition for name, s, condition in kms_statements() if "kms:PutKeyPolicy" in s["Action"]}

    assert {name.partition("/")[0] for name in changing} == {
        "member_account",
        "data_protection_remediation",
        "data_protection_drift",
    }
    assert set(changing.values()) == {"HasKeyPolicies"}


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
    [assumes] = role(name)["AssumeRolePolicyDocument"]["Statement"]

    assert assumes["Principal"]["AWS"]["Fn::Sub"].endswith("::${GatehouseAccountId}:root")
    assert assumes["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"].endswith(":role/${GatehouseStackName}-*")
    assert assumes["Action"] == "sts:AssumeRole"
    assert assumes["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert role(name)["MaxSessionDuration"] == 3600


@pytest.mark.parametrize("name", ROLES)
def test_everything_but_tls_is_refused(name: str) -> None:
    [refusal] = [p for p, _ in map(inside, role(name)["Policies"]) if p["PolicyName"] == "tls-only"]
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
