"""What several databases share, a parameter group or a cluster, is changed only where each of them is to have it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from data_protection.assessments import assess, cases
from data_protection.changes import CannotChange
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Made
from data_protection.collection import Questions
from data_protection.profiles import Profile
from data_protection.readings import Unreadable
from data_protection.reads.rds import CLUSTER_PARAMETERS, CLUSTERS, INSTANCES, PARAMETERS
from data_protection.reads.tagging import TAGS
from data_protection.remediation.plans import LeftOut, Plan, make_plan
from data_protection.remediation.policy import Policy
from data_protection.remediation.sights import require_undoable
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, taken
from tests.support.data_protection_healthy import FORCE_SSL, INSTANCE, healthy

A, B, C = (Resource(Kind.DATABASE, PLACE, name) for name in ("a", "b", "c"))
TLS_OFF = {"Parameters": [FORCE_SSL | {"ParameterValue": "0"}]}
GROUP = Resource(Kind.PARAMETER_GROUP, PLACE, "shared")
CLUSTER_GROUP = Resource(Kind.CLUSTER_PARAMETER_GROUP, PLACE, "shared")


def instance(name: str, group: str = "shared", **members: Any) -> dict[str, Any]:
    groups = [{"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}]
    return INSTANCE | {"DBInstanceIdentifier": name, "DBParameterGroups": groups} | members


def cluster(name: str, *members: str) -> dict[str, Any]:
    return {
        "DBClusterIdentifier": name,
        "Status": "available",
        "Engine": "aurora-postgresql",
        "StorageEncrypted": True,
        "BackupRetentionPeriod": 7,
        "DBClusterParameterGroup": "shared",
        "DBClusterMembers": [
            {"DBInstanceIdentifier": member, "DBClusterParameterGroupStatus": "in-sync"} for member in members
        ],
    }


def member(name: str, of: str) -> dict[str, Any]:
    return instance(name, "default.aurora-postgresql16", DBClusterIdentifier=of, Engine="aurora-postgresql")


def alone(*others: dict[str, Any]) -> dict[tuple[Any, Any], Any]:
    """Return an account where the instances a and b have one group."""
    instances = [instance("a"), instance("b"), *others]
    return healthy() | {
        (ACCOUNT, INSTANCES): {"DBInstances": instances},
        (ACCOUNT, CLUSTERS): {"DBClusters": []},
        (GROUP, PARAMETERS): TLS_OFF,
    }


def clustered(*others: dict[str, Any], **members: str) -> dict[tuple[Any, Any], Any]:
    """Return an account where a and b are of one cluster, with further clusters and their members."""
    instances = [member("a", "ledger"), member("b", "ledger"), *(member(one, of) for one, of in members.items())]
    return healthy() | {
        (ACCOUNT, INSTANCES): {"DBInstances": instances},
        (ACCOUNT, CLUSTERS): {"DBClusters": [cluster("ledger", "b", "a"), *others]},
        (CLUSTER_GROUP, CLUSTER_PARAMETERS): TLS_OFF,
    }


def asking(
    *names: str, exceptions: Sequence[Mapping[str, Any]] = (), requires: Mapping[str, Any] | None = None
) -> Profile:
    rule = {
        "kind": "rds-instance",
        "select": [{"name": name} for name in names],
        "requires": requires or {"RDS-TLS": {}},
    }
    return Profile.model_validate({"name": "test", "rules": [rule], "exceptions": exceptions})


def excepted(name: str, check: str = "RDS-TLS") -> dict[str, Any]:
    reason = "its clients cannot be changed yet"
    return {
        "check": check,
        "kind": "rds-instance",
        "name": name,
        "owner": "bob",
        "reason": reason,
        "expires": "2099-01-01",
    }


def protecting(one: Resource) -> dict[tuple[Any, Any], Any]:
    tag = {"Key": "gatehouse:protected", "Value": "yes"}
    return {(ACCOUNT, TAGS): {"ResourceTagMappingList": [{"ResourceARN": one.arn, "Tags": [tag]}]}}


def planned(asked: Profile, readings: dict[tuple[Any, Any], Any], phase: int = 3) -> Plan:
    assessment = assess(taken(Questions(PLACE, asked), readings), asked, NOW)
    return make_plan(
        assessment, profile="test", phases=[phase], named=frozenset(), policy=Policy(), requested_by="alice"
    )


def refusals(plan: Plan) -> dict[str, str]:
    assert not plan.steps
    return {one.arn.split(":")[-1]: one.reason for one in plan.omissions if one.why is LeftOut.REFUSED}


@pytest.mark.parametrize("readings", [alone(), clustered()], ids=["instances", "members of a cluster"])
def test_group_is_not_changed_for_one_where_somebody_answers_for_another(readings: Any) -> None:
    plan = planned(asking("a", "b", exceptions=[excepted("b")]), readings)
    assert refusals(plan) == {
        "a": "shared is shared by b, and bob answers for RDS-TLS there until 2099-01-01: settle that, or part the two."
    }


@pytest.mark.parametrize("readings", [alone(), clustered()], ids=["instances", "members of a cluster"])
def test_group_is_not_changed_for_one_where_a_tag_protects_another(readings: Any) -> None:
    said = refusals(planned(asking("a", "b"), readings | protecting(B)))
    assert said.keys() == {"a"}
    assert "shared by b, and it carries the tag gatehouse:protected" in said["a"]


@pytest.mark.parametrize("readings", [alone(), clustered()], ids=["instances", "members of a cluster"])
def test_group_is_not_changed_for_one_where_another_is_out_of_scope(readings: Any) -> None:
    said = refusals(planned(asking("a"), readings))
    assert "shared by b, of which the profile does not ask for TLS" in said["a"]


def test_group_is_not_changed_where_another_cluster_with_it_is_out_of_scope() -> None:
    plan = planned(asking("a", "b"), clustered(cluster("accounts", "c"), c="accounts"))
    assert all("shared by c" in said for said in refusals(plan).values())


def test_group_is_not_changed_where_a_cluster_without_instances_has_it() -> None:
    plan = planned(asking("a", "b"), clustered(cluster("serverless")))
    assert all("shared by serverless" in said for said in refusals(plan).values())


@pytest.mark.parametrize(
    ("readings", "target"),
    [
        (alone(instance("c", "another")), GROUP),
        (clustered(cluster("accounts", "c") | {"DBClusterParameterGroup": "another"}, c="accounts"), CLUSTER_GROUP),
    ],
    ids=["instances", "members of a cluster"],
)
def test_group_whose_databases_are_all_asked_for_tls_is_changed_and_locked_as_one(readings: Any, target: Any) -> None:
    first, second = planned(asking("a", "b"), readings).steps
    assert first.change == second.change
    assert first.target == target.arn
    assert "Clients of a, b that connect without TLS" in first.change.risk


def test_plan_is_stale_once_another_database_has_the_group() -> None:
    asked = asking("a", "b", "c")
    before, *_ = planned(asked, alone(instance("c", "another"))).steps
    after, *_ = planned(asked, alone(instance("c"))).steps
    assert before.change != after.change


def test_group_is_not_changed_while_tags_of_those_that_share_it_cannot_be_read() -> None:
    asked = asking("a", "b")
    readings = alone() | {(ACCOUNT, TAGS): Unreadable("AccessDenied", "no")}
    (check, case), _ = cases(taken(Questions(PLACE, asked), readings), asked, NOW)
    assert check.mutator is not None
    with pytest.raises(NotRead, match="GetResources"):
        check.mutator.propose(case)


BACKUPS = {"RDS-BACKUP": {"days": 30}}


@pytest.mark.parametrize(
    ("exceptions", "tags", "said"),
    [
        ([excepted("b", "RDS-BACKUP")], {}, "ledger is shared by b, and bob answers for RDS-BACKUP there"),
        ([], protecting(B), "ledger is shared by b, and it carries the tag"),
    ],
)
def test_backups_of_a_cluster_are_not_changed_for_one_member_against_another(
    exceptions: Any, tags: Any, said: str
) -> None:
    plan = planned(asking("a", "b", exceptions=exceptions, requires=BACKUPS), clustered() | tags, phase=1)
    assert said in refusals(plan)["a"]


def test_backups_of_a_cluster_are_those_of_the_member_in_scope_whatever_others_it_has() -> None:
    [step] = planned(asking("a", requires=BACKUPS), clustered(), phase=1).steps
    assert step.change.call.operation == "modify_db_cluster"


def now(asked: Profile, readings: dict[tuple[Any, Any], Any]) -> Case[Any]:
    """Return the instance a as it is when a change is to be undone."""
    (_, case), *_ = cases(taken(Questions(PLACE, asked), readings), asked, NOW)
    return case


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (alone(instance("c", "another")), alone(instance("c"))),
        (
            clustered(cluster("accounts", "c") | {"DBClusterParameterGroup": "another"}, c="accounts"),
            clustered(cluster("accounts", "c"), c="accounts"),
        ),
    ],
    ids=["instances", "members of a cluster"],
)
def test_group_is_not_undone_for_a_database_that_came_to_it_later(before: Any, after: Any) -> None:
    asked = asking("a", "b", "c")
    made = planned(asked, before).steps[0].change
    check = catalogue()["RDS-TLS"]

    require_undoable(check, now(asked, before), Made(made, NOW, {}))
    with pytest.raises(CannotChange, match=r"shared is shared by c by now, of which the plan .* did not tell"):
        require_undoable(check, now(asked, after), Made(made, NOW, {}))


def test_group_that_an_instance_has_left_is_not_taken_for_the_one_that_was_changed() -> None:
    asked = asking("a", "b")
    made = planned(asked, alone()).steps[0].change
    check = catalogue()["RDS-TLS"]
    assert check.mutator is not None
    for setting in ("0", "1"):
        of_another = {"Parameters": [FORCE_SSL | {"ParameterValue": setting}]}
        readings = alone() | {
            (ACCOUNT, INSTANCES): {"DBInstances": [instance("a", "another"), instance("b")]},
            (Resource(Kind.PARAMETER_GROUP, PLACE, "another"), PARAMETERS): of_another,
        }
        assert check.mutator.present(now(asked, readings), made) not in (made.before, made.after)
        with pytest.raises(CannotChange, match=r"a has .*:pg:another by now, and .*:pg:shared was changed"):
            require_undoable(check, now(asked, readings), Made(made, NOW, {}))


def test_backups_of_a_cluster_are_not_undone_from_outside() -> None:
    asked = asking("a", requires=BACKUPS)
    made = planned(asked, clustered(), phase=1).steps[0].change
    check = catalogue()["RDS-BACKUP"]
    assert check.mutator is not None
    parted = alone()

    require_undoable(check, now(asked, clustered()), Made(made, NOW, {}))
    with pytest.raises(CannotChange, match=r"a keeps the backups of a by now, and those of .*:cluster:ledger"):
        require_undoable(check, now(asked, parted), Made(made, NOW, {}))
    assert check.mutator.present(now(asked, parted), made) not in (made.before, made.after)
