"""What undoing a change later would touch or lose, by what its check knows; changes with their calls exchanged."""

from collections.abc import Mapping
from typing import Any

import pytest

from data_protection.assessments import cases
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Made, Severity
from data_protection.collection import Questions
from data_protection.profiles import Profile
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.reads.tagging import TAGS
from data_protection.remediation.plans import Step
from data_protection.remediation.sights import require_undoable, undoing
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, taken
from tests.support.data_protection_healthy import INSTANCE, healthy

A = Resource(Kind.DATABASE, PLACE, "a")
PENDING: dict[str, Any] = {"PendingModifiedValues": {"EngineVersion": "17.2"}}


def change(check: str, *, before: Any = None, after: Any = None, **inverse: Any) -> Change:
    call = Call(service="rds", operation="modify_db_instance", parameters={})
    return Change(
        check=check,
        title="Change it",
        call=call,
        inverse=call.model_copy(update={"parameters": inverse}),
        reversibility=Reversibility.REVERSIBLE,
        before=before,
        after=after,
    )


def seen(check: str, *databases: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Case[Any]:
    """Return the instance a before a check."""
    rules = [{"kind": "rds-instance", "select": [{"name": "a"}], "requires": {check: {}}}]
    asked = Profile.model_validate({"name": "test", "rules": rules})
    protected = [{"Key": name, "Value": value} for name, value in (tags or {}).items()]
    listed = [{"ResourceARN": Resource(Kind.DATABASE, PLACE, "b").arn, "Tags": protected}] if tags else []
    readings = healthy() | {
        (ACCOUNT, INSTANCES): {"DBInstances": list(databases)},
        (ACCOUNT, CLUSTERS): {"DBClusters": []},
        (ACCOUNT, TAGS): {"ResourceTagMappingList": listed},
    }
    found = cases(taken(Questions(PLACE, asked), readings), asked, NOW)
    return next(case for one, case in found if one.id == check and case.resource == A)


def require(made: Change, *databases: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> None:
    """Ask whether a change on the instance a may be undone now."""
    require_undoable(catalogue()[made.check], seen(made.check, *databases, tags=tags), Made(made, NOW, {A: ()}))


def instance(name: str = "a", /, **members: Any) -> dict[str, Any]:
    groups = [{"DBParameterGroupName": "shared", "ParameterApplyStatus": "in-sync"}]
    return INSTANCE | {"DBInstanceIdentifier": name, "DBParameterGroups": groups} | members


def test_change_with_its_calls_exchanged_twice_is_itself() -> None:
    made = change("DDB-PITR", before={"days": 7}, after={"days": 35}, days=7)

    exchanged = made.exchanged

    assert (exchanged.call, exchanged.inverse) == (made.inverse, made.call)
    assert (exchanged.before, exchanged.after) == (made.after, made.before)
    assert exchanged.exchanged == made
    with pytest.raises(CannotChange, match="No call undoes this: Change it"):
        assert made.model_copy(update={"inverse": None}).exchanged


def test_turning_backups_off_again_brings_nothing_about_that_waits_for_the_maintenance_window() -> None:
    at_once, later = (change("RDS-BACKUP", ApplyImmediately=now) for now in (True, False))

    with pytest.raises(CannotChange, match="EngineVersion of a would be changed at once with BackupRetentionPeriod"):
        require(at_once, instance(**PENDING))
    require(at_once, instance())
    require(later, instance(**PENDING))


def test_step_says_what_hinders_it_though_all_is_as_it_was_left() -> None:
    off, on = {"BackupRetentionPeriod": 0}, {"BackupRetentionPeriod": 30}
    made = change("RDS-BACKUP", before=off, after=on, ApplyImmediately=True)
    step = Step(
        id="RDS-BACKUP/a",
        kind=A.kind,
        name=A.name,
        arn=A.arn,
        severity=Severity.HIGH,
        status=Status.PASS,
        reason="",
        change=made.exchanged,
    )
    check, planned = catalogue()["RDS-BACKUP"], Made(made, NOW, {A: ()})

    hindered = undoing(check, step, seen("RDS-BACKUP", instance(**on, **PENDING)), planned)
    free = undoing(check, step, seen("RDS-BACKUP", instance(**on)), planned)
    done = undoing(check, step, seen("RDS-BACKUP", instance(**off)), planned)

    assert (hindered.is_back, hindered.is_next) == (True, False)
    assert hindered.hindrance.startswith("EngineVersion of a would be changed at once")
    assert (free.is_next, free.took_hold, free.hindrance) == (True, False, "")
    assert (done.is_next, done.took_hold, done.is_met) == (False, True, True)


def test_database_that_is_being_changed_is_not_undone_now() -> None:
    with pytest.raises(CannotChange, match="a is modifying"):
        require(change("RDS-BACKUP", ApplyImmediately=False), instance(DBInstanceStatus="modifying"))


def test_what_databases_share_is_not_undone_where_a_tag_protects_one_of_them() -> None:
    group = Resource(Kind.PARAMETER_GROUP, PLACE, "shared")
    made = change("RDS-TLS").model_copy(update={"target": group.arn, "serves": ("a", "b")})

    with pytest.raises(CannotChange, match="shared is shared by b, and it carries the tag gatehouse:protected"):
        require(made, instance(), instance("b"), tags={"gatehouse:protected": "yes"})
    require(made, instance(), instance("b"), tags={"team": "shop"})


RULE, OURS = {"ID": "theirs"}, {"ID": "gatehouse"}
INDEXED = change("DDB-EXISTS")
INDEXED = INDEXED.model_copy(update={"call": INDEXED.call.model_copy(update={"operation": "update_table"})})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (change("DDB-PITR"), "cannot be restored to any moment before"),
        (change("DDB-STREAM"), "a later stream has another ARN"),
        (change("CW-ALARMS"), "history of the alarm"),
        (change("RDS-BACKUP"), "Automated backups older than what is kept then are deleted"),
        (change("DDB-TTL", before={"Enabled": True}), "Items whose time has passed are deleted again."),
        (change("DDB-TTL", before={"Enabled": False}), ""),
        (change("S3-INTTIER", before=RULE), "archived again"),
        (change("S3-INTTIER"), ""),
        (change("S3-LIFECYCLE", before={"Rules": [RULE]}, after={"Rules": [RULE, OURS]}), ""),
        (change("S3-LIFECYCLE", before={"Rules": [RULE]}, after={"Rules": [OURS]}), "by the rules that come back"),
        (change("S3-VERSION", before={"Rules": [RULE]}, after={"Rules": [OURS]}), "by the rules that come back"),
        (change("S3-VERSION", before={"Status": "Suspended"}, after={"Status": "Enabled"}), ""),
        (change("DDB-DELPROT"), ""),
        (INDEXED, "The index is deleted: queries of it fail"),
    ],
)
def test_undoing_says_what_it_loses_besides_the_protection(made: Change, said: str) -> None:
    mutator = catalogue()[made.check].mutator
    assert mutator is not None
    loses = mutator.undoing_loses(made)

    assert (bool(loses), said in loses) == (bool(said), True)
