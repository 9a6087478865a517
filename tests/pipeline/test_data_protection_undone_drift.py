"""What people undo is no drift, and nothing turns it on again; what a plan mends is drift no more."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.attempts import AttemptStore
from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.findings import Expectations
from data_protection.adapters.steps import ResourceLocks
from data_protection.drift import compose
from data_protection.drift.attempts import Freeze
from data_protection.drift.drifts import DriftEnd, Ending
from data_protection.handlers import apply_step, verify_step
from data_protection.resources import Place
from kernel import aws
from kernel.clock import utc_now
from kernel.settings import load
from tests.support.data_protection_drift import (
    ACCOUNT,
    REGION,
    ROOT,
    USER,
    Watched,
    event,
    evidence,
    seconds_ago,
    watched,
)
from tests.support.remediation import FUNCTION, Remediation, client, tables, whenever

TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
STEP = "DDB-DELPROT/dynamodb-table/orders/0"


@pytest.fixture
def account() -> Iterator[Watched]:
    """Give an account in which a plan has turned on what drift fixes at once."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:approvers"
    with watched() as made, patch.dict("os.environ", {"APPROVERS_TOPIC": topic}):
        load.cache_clear()
        client("sns").create_topic(Name="approvers")
        made.table("orders")
        made.profile([tables("orders", DDB_DELPROT={})], drift={"fix": ["DDB-DELPROT"]})
        saturday = Remediation("saturday")
        saturday.work(saturday.plan(1))
        assert saturday.finish(saturday.planned["plan"])["good"]
        made.sweep()
        assert made.told() == []
        yield made
        load.cache_clear()


def protect(*, on: bool) -> None:
    aws.dynamodb().update_table(TableName="orders", DeletionProtectionEnabled=on)


def is_protected() -> bool:
    return bool(aws.dynamodb().describe_table(TableName="orders")["Table"]["DeletionProtectionEnabled"])


def approved() -> str:
    """Plan to undo what is there, and return the hash of the plan that people have approved."""
    saturday = aws.dynamodb().scan(
        TableName="remediations",
        FilterExpression="begins_with(entry, :step)",
        ExpressionAttributeValues={":step": {"S": "step#"}},
    )["Items"][0]["plan"]["S"]
    monday = Remediation("monday")
    return monday.approve(monday.plan(undo=saturday))


def changed(by: Mapping[str, Any] = USER, at: datetime | None = None) -> object:
    """Return the event of a call by somebody who has touched the table."""
    return event("dynamodb", "UpdateTable", {"tableName": "orders"}, by=by, at=at)


def test_looks_before_and_after_the_call_find_no_drift(account: Watched) -> None:
    asked = {"run": "by-hand-1", "plan": approved(), "step": STEP}

    def look(_: object) -> None:
        account.sweep()

    with whenever("dynamodb", "UpdateTable", look):
        apply_step.handler(asked, FUNCTION)
    assert not is_protected()
    account.sweep()
    account.recheck(changed())
    assert verify_step.handler(asked, FUNCTION)["state"] == "verified"
    account.sweep()
    account.recheck(changed())

    assert (account.told(), account.open_drifts(), account.fix()) == ([], [], 0)
    assert account.statuses() == {("DDB-DELPROT", "orders"): "fail"}
    assert not is_protected()


@pytest.fixture
def cluster(account: Watched) -> str:
    """Carry out a plan by which a cluster keeps its backups longer; its members are both judged by that."""
    rds, aurora = client("rds"), {"Engine": "aurora-postgresql", "BackupRetentionPeriod": 7}
    rds.create_db_cluster(DBClusterIdentifier="shop", MasterUsername="shop", MasterUserPassword="secret-1", **aurora)
    for name in ("reader", "writer"):
        class_ = {"DBInstanceClass": "db.r6g.large", "DBClusterIdentifier": "shop"}
        rds.create_db_instance(DBInstanceIdentifier=name, **class_, **aurora)
    select = [{"name": "reader"}, {"name": "writer"}]
    rule = {"kind": "rds-instance", "select": select, "requires": {"RDS-BACKUP": {"days": 30}}}
    account.profile([rule], drift={"fix": ["RDS-BACKUP"]})
    sunday = Remediation("sunday")
    sunday.work(sunday.plan(1))
    finished = sunday.finish(sunday.planned["plan"])
    assert (finished["counts"], kept_days()) == ({"verified": 1, "satisfied": 1}, 30)
    account.sweep()
    assert account.told() == []
    return str(sunday.planned["plan"])


def kept_days() -> int:
    return int(client("rds").describe_db_clusters()["DBClusters"][0]["BackupRetentionPeriod"])


def test_undoing_of_what_several_share_is_no_drift_of_any_of_them(account: Watched, cluster: str) -> None:
    monday = Remediation("monday")
    planned = monday.plan(undo=cluster, named=["RDS-BACKUP"])

    def look(_: object) -> None:
        account.sweep("meanwhile")

    with whenever("rds", "ModifyDBCluster", look):
        monday.work(planned)
    assert (monday.finish(planned["plan"])["good"], kept_days()) == (True, 7)
    assert set(account.statuses().values()) == {"fail"}
    account.sweep("soon")
    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=3)):
        account.sweep("later")

    assert (account.told(), account.open_drifts(), account.fix(), kept_days()) == ([], [], 0, 7)


def test_undoing_of_what_several_share_that_is_refused_leaves_the_findings_as_they_were(
    account: Watched, cluster: str
) -> None:
    monday = Remediation("monday")

    def refuse(_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ModifyDBCluster")

    with whenever("rds", "ModifyDBCluster", refuse):
        monday.work(monday.plan(undo=cluster, named=["RDS-BACKUP"]))
    client("rds").modify_db_cluster(DBClusterIdentifier="shop", BackupRetentionPeriod=7)
    account.sweep("sweep-2")

    assert [noun for noun, _ in account.told()] == ["DriftFound", "DriftFound"]


def test_undoing_is_drift_of_what_shares_it_only_since_the_plan(account: Watched, cluster: str) -> None:
    class_ = {"DBInstanceClass": "db.r6g.large", "DBClusterIdentifier": "shop", "Engine": "aurora-postgresql"}
    client("rds").create_db_instance(DBInstanceIdentifier="later", **class_)
    select = [{"name": name} for name in ("reader", "writer", "later")]
    account.profile([{"kind": "rds-instance", "select": select, "requires": {"RDS-BACKUP": {"days": 30}}}])
    account.sweep("whole")
    monday = Remediation("monday")

    monday.work(monday.plan(undo=cluster, named=["RDS-BACKUP"]))
    account.sweep("soon")
    later_on(account)

    assert [(noun, drift["name"]) for noun, drift in account.told()] == [("DriftFound", "later")]


def later_on(account: Watched) -> None:
    """Sweep once an undoing is expected no more."""
    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=3)):
        account.sweep("later")


@pytest.fixture
def alerts(account: Watched) -> str:
    """Carry out a plan by which a topic lets alarms through, so that the account has enough that reach somebody."""
    sns = client("sns")
    arn = str(sns.create_topic(Name="alerts")["TopicArn"])
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    own = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "SNS:Publish", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        AlarmActions=[arn],
    )
    topic = {"kind": "sns-topic", "select": [{"name": "alerts"}], "requires": {"SNS-ALERT": {}}}
    account.profile([topic, {"kind": "account", "requires": {"CW-ALARMS": {"least": 1}}}])
    account.sweep("before")
    sunday = Remediation("sunday")
    sunday.work(sunday.plan(1))
    assert sunday.finish(sunday.planned["plan"])["good"]
    account.sweep("after")
    assert set(account.statuses().values()) == {"pass"}
    assert account.told() == []
    return str(sunday.planned["plan"])


def refuse(_: object) -> None:
    raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "SetTopicAttributes")


def test_what_rests_on_what_is_undone_and_had_no_step_is_drift_that_is_told_once(account: Watched, alerts: str) -> None:
    monday = Remediation("monday")

    def look(_: object) -> None:
        account.sweep("meanwhile")

    with whenever("sns", "SetTopicAttributes", look):
        monday.work(monday.plan(undo=alerts))
    assert monday.finish(monday.planned["plan"])["good"]
    account.sweep("soon")
    later_on(account)

    assert set(account.statuses().values()) == {"fail"}
    assert [(noun, drift["check"]) for noun, drift in account.told()] == [("DriftFound", "CW-ALARMS")]
    assert [drift["check"] for drift in account.open_drifts()] == ["CW-ALARMS"]


def test_undoing_that_is_refused_leaves_open_drift_of_others_open(account: Watched, alerts: str) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=["errors"])
    account.sweep("gone")
    [(noun, found)] = account.told()
    monday = Remediation("monday")

    with whenever("sns", "SetTopicAttributes", refuse):
        monday.work(monday.plan(undo=alerts))
    account.sweep("soon")

    assert (noun, found["check"]) == ("DriftFound", "CW-ALARMS")
    assert (account.told(), account.open_drifts(), ended()) == ([], [found], [])


def test_undoing_that_is_refused_makes_nothing_forgotten(account: Watched, alerts: str) -> None:
    """Whoever unsubscribed everybody meanwhile is still told of, by the same check."""
    sns, monday = client("sns"), Remediation("monday")
    planned = monday.plan(undo=alerts)
    monday.approve(planned)
    [subscribed] = sns.list_subscriptions()["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])

    with whenever("sns", "SetTopicAttributes", refuse):
        monday.work(planned)
    assert monday.finish(planned["plan"])["counts"] == {"refused": 1}
    account.sweep("soon")

    assert ("DriftFound", "SNS-ALERT") in [(noun, drift["check"]) for noun, drift in account.told()]


@pytest.mark.parametrize("is_undone", [True, False])
def test_drift_that_is_found_while_an_undoing_is_prepared_ends_once_with_it(
    account: Watched, alerts: str, *, is_undone: bool
) -> None:
    sns, monday = client("sns"), Remediation("monday")
    planned = monday.plan(undo=alerts)
    monday.approve(planned)
    [subscribed] = sns.list_subscriptions()["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])

    keep = Expectations.keep

    def meanwhile(*given: Any) -> None:
        account.sweep("meanwhile")
        assert {drift["check"] for drift in account.open_drifts()} == {"CW-ALARMS", "SNS-ALERT"}
        keep(*given)

    def answer(_: object) -> None:
        if not is_undone:
            refuse(_)

    with patch.object(Expectations, "keep", meanwhile), whenever("sns", "SetTopicAttributes", answer):
        monday.work(planned)
    account.sweep("soon")
    later_on(account)

    told = [drift["check"] for noun, drift in account.told() if noun == "DriftFound"]
    assert sorted(told) == ["CW-ALARMS", "SNS-ALERT"]
    still = {drift["check"] for drift in account.open_drifts()}
    assert still == ({"CW-ALARMS"} if is_undone else {"CW-ALARMS", "SNS-ALERT"})
    ends = [(end.drift.check, end.how, end.by, end.plan) for end in ended()]
    assert ends == ([("SNS-ALERT", Ending.UNDONE, "gatehouse", planned["plan"])] if is_undone else [])


def test_what_is_protected_again_drifts_again(account: Watched) -> None:
    asked = {"run": "by-hand-1", "plan": approved(), "step": STEP}
    apply_step.handler(asked, FUNCTION)
    verify_step.handler(asked, FUNCTION)
    account.sweep()
    protect(on=True)
    account.sweep()
    assert account.told() == []

    protect(on=False)
    account.sweep()

    assert [noun for noun, _ in account.told()] == ["DriftFound"]
    account.fix()
    assert is_protected()


def test_looks_that_come_to_nothing_before_the_undoing_shows_find_no_drift(account: Watched) -> None:
    apply_step.handler({"run": "by-hand-1", "plan": approved(), "step": STEP}, FUNCTION)
    protect(on=True)

    def throttle(_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "DescribeTable")

    with whenever("dynamodb", "DescribeTable", throttle):
        account.sweep("throttled")
    account.sweep("too early")
    protect(on=False)

    account.sweep("in time")

    assert (account.told(), account.open_drifts()) == ([], [])


def ended() -> list[DriftEnd]:
    return DriftStore(aws.dynamodb(), "findings").ended_in(Place(ACCOUNT, REGION))


def test_drift_that_a_plan_has_mended_is_not_open_any_more_once_that_is_undone(account: Watched) -> None:
    protect(on=False)
    account.sweep()
    assert [noun for noun, _ in account.told()] == ["DriftFound"]
    sunday = Remediation("sunday")
    planned = sunday.plan(1)
    sunday.work(planned)
    assert is_protected()

    monday = Remediation("monday")
    monday.work(monday.plan(undo=planned["plan"]))
    account.sweep("sweep-2")

    assert (account.fix(), account.open_drifts(), account.told()) == (1, [], [])
    assert not is_protected()
    assert [(end.how, end.plan) for end in ended()] == [(Ending.FIXED, planned["plan"])]


def test_drift_that_somebody_has_mended_before_the_plan_is_not_of_the_plan(account: Watched) -> None:
    protect(on=False)
    account.recheck(changed(by=ROOT, at=seconds_ago(30)))
    sunday = Remediation("sunday")
    planned = sunday.plan(1)
    protect(on=True)
    mended = changed(at=seconds_ago(10))
    sunday.work(planned)
    assert sunday.finish(planned["plan"])["counts"] == {"satisfied": 1}

    account.recheck(mended)

    _, (fixed, end) = account.told()
    assert (fixed, end["by"], end["plan"]) == ("DriftFixed", USER["arn"], "")
    assert end["look"] == f"remediation-{planned['plan']}-satisfied"


def test_drift_that_a_plan_has_mended_is_another_when_it_comes_again(account: Watched) -> None:
    protect(on=False)
    account.sweep()
    [(_, first)] = account.told()
    sunday = Remediation("sunday")
    sunday.work(sunday.plan(1))
    assert is_protected()

    protect(on=False)
    account.recheck(changed())

    (mended, end), (found, again) = account.told()
    assert (mended, end["drift"], end["by"], end["plan"]) == ("DriftFixed", first, "gatehouse", sunday.planned["plan"])
    assert (found, again["by"], again["call"]) == ("DriftFound", USER["arn"], "UpdateTable")
    assert [drift["id"] for drift in account.open_drifts()] == [again["id"]]
    assert again["id"] != first["id"]


@pytest.mark.parametrize("froze", [False, True])
def test_fix_that_was_begun_and_changed_nothing_yet_is_not_gone_on_with(account: Watched, *, froze: bool) -> None:
    protect(on=False)
    account.sweep()
    locks = ResourceLocks(aws.dynamodb(), "remediations")
    locks.take(TABLE_ARN, "another", utc_now(), timedelta(minutes=20))
    assert account.fix() == 0
    locks.release(TABLE_ARN, "another")
    drifts = DriftStore(aws.dynamodb(), "findings")
    (drift,) = drifts.open_in(Place(ACCOUNT, REGION)).values()
    if froze:
        freeze = Freeze(drift=drift, until=utc_now() + timedelta(hours=1), reverts=())
        AttemptStore(aws.dynamodb(), "remediations").freeze(freeze)
    else:
        drifts.close(DriftEnd(drift=drift, how=Ending.EXCEPTED, ended=utc_now(), look="sweep"))

    assert account.fix() == 1

    assert not is_protected()
    *_, refused, finished = sorted(evidence(), key=lambda record: str(record["at"]))
    assert (refused["event"], finished["event"], finished["content"]["state"]) == ("refused", "finished", "refused")
    said = "Nothing is fixed on" if froze else "is not open any more"
    assert said in refused["content"]["why"]


def test_undoing_that_nobody_goes_on_with_keeps_drift_from_being_found_only_for_its_term(account: Watched) -> None:
    asked = {"run": "by-hand-1", "plan": approved(), "step": STEP}
    with whenever("dynamodb", "UpdateTable", die), pytest.raises(KeyboardInterrupt):
        apply_step.handler(asked, FUNCTION)
    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=1)):
        account.sweep()
    protect(on=False)

    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=2)):
        account.sweep()

    assert [noun for noun, _ in account.told()] == ["DriftFound"]


def die(_: object) -> None:
    raise KeyboardInterrupt
