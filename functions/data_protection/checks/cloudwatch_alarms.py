"""CW-ALARMS: enough alarms reach somebody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from data_protection import topics
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.readings import Read
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.sns import SUBSCRIPTIONS
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
        dimensions: Of it, by name; wrong ones make an alarm that never has data.
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
    """Names of the account's own alarms, by what becomes of them."""

    reach: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    reach_nobody: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    unread: NotRead | None = None


def _names(place: Place, asked: Alarms) -> Iterable[tuple[Resource, Read]]:
    if asked.topic is not None:
        yield named(Kind.TOPIC, place, asked.topic), SUBSCRIPTIONS


def is_own(alarm: Mapping[str, Any]) -> bool:
    """Return whether people made an alarm, and not autoscaling for itself."""
    if alarm["AlarmName"].startswith(_SCALING):
        return False
    return not any(action.split(":")[2] == "autoscaling" for action in alarm.get("AlarmActions", []))


def _own(case: Case[Alarms]) -> Sequence[Mapping[str, Any]]:
    answer = case.get(ALARMS)
    return [alarm for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"]) if is_own(alarm)]


def _reaches(case: Case[Alarms], action: str) -> bool:
    if action.split(":")[2] != "sns":
        return False
    try:
        return topics.confirmed(case, named(Kind.TOPIC, case.resource.place, action)) > 0
    except ResourceMissing:
        return False


def _count(case: Case[Alarms]) -> _Count:
    count = _Count()
    for alarm in _own(case):
        count_in = count.reach_nobody
        for action in alarm.get("AlarmActions", []) if alarm["ActionsEnabled"] else []:
            try:
                if _reaches(case, action):
                    count_in = count.silent if _is_silent(case, alarm) else count.reach
                    break
            except NotRead as error:
                count.unread, count_in = error, count.undecided
        count_in.append(alarm["AlarmName"])
    return count


def _is_silent(case: Case[Alarms], alarm: Mapping[str, Any]) -> bool:
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return alarm["StateValue"] == "INSUFFICIENT_DATA" and case.now - moment(since) > _SILENT


def _validate(case: Case[Alarms]) -> Verdict:
    count, least = _count(case), case.requirement.least
    observed = {
        "reach_somebody": len(count.reach),
        "without_data": sorted(count.silent),
        "reach_nobody": sorted(count.reach_nobody),
    }
    missing = _missing(case)
    expected = {"least": least, "alarms": [alarm.name for alarm in case.requirement.alarms]}
    if missing:
        return Verdict(Status.FAIL, f"There is no alarm {', '.join(one.name for one in missing)}.", observed, expected)
    if len(count.reach) < least and count.unread is not None:
        raise count.unread
    known = len(count.reach) + len(count.silent)
    if known < least:
        said = f"{known} alarms reach somebody, {least} are asked; {len(count.reach_nobody)} reach nobody."
        return Verdict(Status.FAIL, said, observed, expected)
    if count.silent:
        said = f"Without data for a week, so likely with wrong dimensions: {', '.join(sorted(count.silent))}."
        return Verdict(Status.WARN, said, observed, expected)
    return Verdict(Status.PASS, f"{len(count.reach)} alarms reach somebody.", observed, expected)


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
            "action, or confirm their topic's subscriptions."
        )
    coming, least = len(_count(case).reach) + len(missing), case.requirement.least
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
        if not topics.confirmed(case, topic):
            raise CannotChange(f"Nobody has confirmed a subscription of {topic.name}: alarms would reach nobody.")
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


CHECK: Final = Check(
    id="CW-ALARMS",
    title="Enough alarms reach somebody",
    why="An alarm without an action, with a topic that nobody confirmed, or on a metric that has no data tells nobody.",
    severity=Severity.HIGH,
    kind=Kind.ACCOUNT,
    requirement=Alarms,
    reads=(ALARMS,),
    further=(SUBSCRIPTIONS,),
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
    ),
)
