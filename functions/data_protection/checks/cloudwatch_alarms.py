"""CW-ALARMS: enough alarms reach somebody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_protection import topics
from data_protection.alarm_metrics import NAMING, Metric, metrics
from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.inventory import LISTINGS
from data_protection.policies import Grant
from data_protection.readings import Read
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY, KEY_POLICY
from data_protection.reads.sns import SUBSCRIPTIONS, TOPIC
from data_protection.resources import Kind, Place, Resource, named
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.times import moment
from data_protection.verdicts import Status, Verdict

_SILENT: Final = timedelta(days=7)  # after which an alarm without data watches nothing, by wrong dimensions mostly
_SCALING: Final = "TargetTracking-"  # what Application Auto Scaling calls the alarms that it makes for itself


class Alarm(BaseModel):
    """An alarm that must be there, as PutMetricAlarm takes it.

    Attributes:
        name: Unique in the account and region.
        namespace: Of the metric.
        metric: Name of it.
        dimensions: Of it, by name; those by which DynamoDB publishes nothing are refused.
        statistic: Over a period.
        seconds: Of a period.
        periods: That must breach, one after the other.
        comparison: With the threshold.
        threshold: In the metric's unit.
        missing: What no data counts as.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=255)
    namespace: str
    metric: str
    dimensions: dict[str, str] = {}
    statistic: Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"] = "Sum"
    seconds: int = Field(default=300, ge=60, multiple_of=60)
    periods: int = Field(default=1, ge=1)
    comparison: Literal[
        "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
    ] = "GreaterThanOrEqualToThreshold"
    threshold: float
    missing: Literal["breaching", "notBreaching", "ignore", "missing"] = "notBreaching"

    @model_validator(mode="after")
    def _can_have_data(self) -> Self:
        if self.watched.fault:
            raise ValueError(f"the alarm {self.name} would watch nothing: {self.watched.fault}")
        return self

    @property
    def watched(self) -> Metric:
        """Its metric."""
        return Metric(self.namespace, self.metric, self.dimensions)


class Alarms(Requirement):
    """What is asked of the account's alarms.

    Attributes:
        least: How many must reach somebody.
        topic: Name or ARN of the topic that made alarms notify; None where none are made.
        alarms: That must be there by name; those that are not can be made.
    """

    least: int = Field(default=10, ge=1)
    topic: str | None = None
    alarms: tuple[Alarm, ...] = ()


@dataclass
class _Count:
    """Names of the account's own alarms, by what becomes of them; of those that watch nothing, with the reason."""

    reach: list[str] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    watch_nothing: dict[str, str] = field(default_factory=dict)
    reach_nobody: list[str] = field(default_factory=list)
    unread: NotRead | None = None

    @property
    def known(self) -> int:
        """How many reach somebody, or would if they watched something."""
        return len(self.reach) + len(self.in_doubt) + len(self.watch_nothing)


def _names(place: Place, asked: Alarms) -> Iterable[tuple[Resource, Read]]:
    if asked.topic is not None:
        for read in (TOPIC, SUBSCRIPTIONS):
            yield named(Kind.TOPIC, place, asked.topic), read


def is_own(alarm: Mapping[str, Any]) -> bool:
    """Return whether people made an alarm, and not autoscaling for itself."""
    if alarm["AlarmName"].startswith(_SCALING):
        return False
    return not any(action.split(":")[2] == "autoscaling" for action in alarm.get("AlarmActions", []))


def _own(case: Case[Alarms]) -> Sequence[Mapping[str, Any]]:
    answer = case.get(ALARMS)
    return [alarm for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"]) if is_own(alarm)]


def _count(case: Case[Alarms]) -> _Count:
    count = _Count()
    for alarm in _own(case):
        name = alarm["AlarmName"]
        try:
            reached = _reached(case, alarm)
            blind = _blindness(case, alarm) if reached is not Grant.NO else ""
        except NotRead as error:
            count.unread = error
            continue
        if reached is Grant.NO:
            count.reach_nobody.append(name)
        elif blind:
            count.watch_nothing[name] = blind
        else:
            (count.reach if reached is Grant.YES else count.in_doubt).append(name)
    return count


def _reached(case: Case[Alarms], alarm: Mapping[str, Any]) -> Grant:
    """Return whether any of an alarm's actions reaches somebody.

    Raises:
        NotRead: None is known to, and one could not be seen.
    """
    best, unread = Grant.NO, None
    for action in alarm.get("AlarmActions", []) if alarm["ActionsEnabled"] else []:
        try:
            found = _reach(case, action)
        except NotRead as error:
            unread = error
            continue
        best = found if best is Grant.NO or found is Grant.YES else best
    if best is Grant.NO and unread is not None:
        raise unread
    return best


def _reach(case: Case[Alarms], action: str) -> Grant:
    if action.split(":")[2] != "sns":
        return Grant.NO
    try:
        return topics.reach(case, named(Kind.TOPIC, case.resource.place, action)).grant
    except ResourceMissing:
        return Grant.NO


def _blindness(case: Case[Alarms], alarm: Mapping[str, Any]) -> str:
    """Return why an alarm watches nothing, as the end of a sentence; empty where it does."""
    for metric in metrics(alarm):
        if metric.fault:
            return metric.fault
        for kind, name in metric.names():
            if name not in LISTINGS[kind].names(case.get(LISTINGS[kind].read)):
                return f"there is no {kind} {name}"
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    if alarm["StateValue"] == "INSUFFICIENT_DATA" and case.now - moment(since) > _SILENT:
        return "it has had no data for a week, likely by wrong dimensions"
    return ""


def _validate(case: Case[Alarms]) -> Verdict:
    count, least = _count(case), case.requirement.least
    observed = {
        "reach_somebody": len(count.reach),
        "in_doubt": sorted(count.in_doubt),
        "watch_nothing": dict(sorted(count.watch_nothing.items())),
        "reach_nobody": sorted(count.reach_nobody),
    }
    missing = _missing(case)
    expected = {"least": least, "alarms": [alarm.name for alarm in case.requirement.alarms]}
    if missing:
        return Verdict(Status.FAIL, f"There is no alarm {', '.join(one.name for one in missing)}.", observed, expected)
    if len(count.reach) < least and count.unread is not None:
        raise count.unread
    if count.known < least:
        said = f"{count.known} alarms reach somebody, {least} are asked; {len(count.reach_nobody)} reach nobody."
        return Verdict(Status.FAIL, said, observed, expected)
    if count.watch_nothing:
        said = "; ".join(f"{name}: {why}" for name, why in sorted(count.watch_nothing.items()))
        return Verdict(Status.WARN, f"Some alarms watch nothing: {said}.", observed, expected)
    if others := _others(case):
        said = f"{', '.join(others)} watches another metric, or by other dimensions, than the profile describes."
        return Verdict(Status.WARN, said, observed, expected)
    if len(count.reach) < least:
        said = f"A condition of a policy decides whether {', '.join(sorted(count.in_doubt))} reaches somebody."
        return Verdict(Status.WARN, said, observed, expected)
    return Verdict(Status.PASS, f"{len(count.reach)} alarms reach somebody.", observed, expected)


def _others(case: Case[Alarms]) -> Sequence[str]:
    """Return the names of alarms that the profile describes, and that watch something else."""
    described = {alarm.name: alarm.watched for alarm in case.requirement.alarms}
    return sorted(
        alarm["AlarmName"]
        for alarm in _own(case)
        if alarm["AlarmName"] in described and [*metrics(alarm)] != [described[alarm["AlarmName"]]]
    )


def _missing(case: Case[Alarms]) -> Sequence[Alarm]:
    # Of all alarms, as one of that name would be written over.
    answer = case.get(ALARMS)
    names = {alarm["AlarmName"] for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"])}
    return [alarm for alarm in case.requirement.alarms if alarm.name not in names]


def _propose(case: Case[Alarms]) -> Sequence[Change]:
    missing = _missing(case)
    if not missing:
        raise CannotChange(
            "All alarms that the profile describes are there. Describe more of them, give those that reach nobody an "
            "action, correct those that watch nothing, or have SNS-ALERT and SNS-KMS asked of their topics."
        )
    # Those on a table that is yet to be made count, as those do that are still to be made for one.
    coming, least = _count(case).known + len(missing), case.requirement.least
    if coming < least:
        raise CannotChange(
            f"With the alarms that the profile describes {coming} would reach somebody, and {least} are asked: "
            "describe more."
        )
    return [_creation(alarm, _topic(case)) for alarm in missing]


def _topic(case: Case[Alarms]) -> str:
    if case.requirement.topic is None:
        raise CannotChange("The profile names no topic that new alarms notify: give one as `topic`.")
    topic = named(Kind.TOPIC, case.resource.place, case.requirement.topic)
    try:
        if barrier := topics.reach(case, topic).barrier:
            raise CannotChange(
                f"Alarms would reach nobody by {topic.name}: SNS-ALERT and SNS-KMS come first. {barrier}"
            )
    except ResourceMissing:
        raise CannotChange(f"There is no topic {topic.name}: SNS-ALERT comes first.") from None
    return topic.arn


def _creation(alarm: Alarm, topic: str) -> Change:
    parameters = {
        "AlarmName": alarm.name,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(alarm.dimensions.items())],
        "Statistic": alarm.statistic,
        "Period": alarm.seconds,
        "EvaluationPeriods": alarm.periods,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing,
        "ActionsEnabled": True,
        "AlarmActions": [topic],
    }
    return Change(
        check="CW-ALARMS",
        title=f"Make the alarm {alarm.name}",
        call=Call(service="cloudwatch", operation="put_metric_alarm", parameters=parameters),
        inverse=Call(service="cloudwatch", operation="delete_alarms", parameters={"AlarmNames": [alarm.name]}),
        reversibility=Reversibility.REVERSIBLE,
        before=None,
        after=parameters,
        cost="About 0.10 USD a month.",
    )


# What an alarm that is made here lacks.
_OF_OTHERS: Final = ("AlarmDescription", "OKActions", "InsufficientDataActions")


def _present(case: Case[Alarms], change: Change) -> Any:
    for alarm in case.get(ALARMS)["MetricAlarms"]:
        if alarm["AlarmName"] == change.after["AlarmName"]:
            more = {member: alarm[member] for member in _OF_OTHERS if alarm.get(member)}
            return {**projected(alarm, change.after), **more}
    return None


CHECK: Final = Check(
    id="CW-ALARMS",
    title="Enough alarms reach somebody",
    why="An alarm without an action, with a topic that reaches nobody, or on a metric that has no data tells nobody.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=Alarms,
    reads=(ALARMS, *(LISTINGS[kind].read for kind in sorted(set(NAMING.values())))),
    further=(TOPIC, SUBSCRIPTIONS, KEY, KEY_POLICY),
    names=_names,
    validate=_validate,
    cost="About 0.10 USD an alarm and month.",
    advice="Describe the alarms in the profile with the topic that they notify, and confirm a subscription of it.",
    controls={
        "AWS FSBP": ("CloudWatch.15", "CloudWatch.17"),
        "NIST 800-53 r5": ("AU-6(1)", "AU-6(5)", "CA-7", "SI-2", "SI-4(12)"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"cloudwatch:put_metric_alarm", "cloudwatch:delete_alarms"}),
        actions=frozenset({"cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"}),
        propose=_propose,
        present=_present,
        undoing_loses=lambda _: "The history of the alarm is deleted.",
    ),
)
