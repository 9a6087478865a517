"""Everything that can fail is watched, every alarm reaches somebody, and that somebody finds a runbook."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT
from tests.support.templates import FUNCTION, MACHINE, Function, Json, Stack, functions, stacks

_DEAD, _OLD = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
_NEW = "ObjectsAnnounced"
RUNBOOK = re.compile(r"Runbook: docs/runbooks/(?P<name>[\w-]+)\.md$")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
METRICS_PER_ALARM = 10
# While a metric has no value, `a + b` and `a / b` have none either: only these take that into account.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
LENIENT = re.compile(r"(SUM|MAX|MIN|AVG|FILL)\([^)]*\)")

WANTED = {
    FUNCTION: {"Errors", "Throttles", "Duration"},
    MACHINE: {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
}


def alarms(stack: Stack) -> dict[str, Json]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def metrics(alarm: Json) -> list[tuple[str, str | None]]:
    """Return name of each metric of an alarm, and the resource that it is about."""
    return [(metric["MetricName"], _resource(metric)) for metric in _metrics_of(alarm)]


def _metrics_of(alarm: Json) -> list[Json]:
    return [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]


def unwatched(stack: Stack) -> Iterator[str]:
    watched = {found for alarm in alarms(stack).values() for found in metrics(alarm)}
    wanted = [(name, metric) for kind, names in WANTED.items() for name in stack.of_type(kind) for metric in names]
    dead_letters = set(_dead_letter_queues(stack.body))
    wanted += [(queue, _DEAD if queue in dead_letters else _OLD) for queue in stack.of_type("AWS::SQS::Queue")]
    for name, metric in wanted:
        if (metric, name) not in watched:
            yield f"no alarm watches {metric} of {name}"


def silent(stack: Stack) -> Iterator[str]:
    """Yield alarms that reach nobody, lead to no runbook, or can never have a value."""
    for name, alarm in alarms(stack).items():
        runbook = RUNBOOK.search(alarm.get("AlarmDescription", ""))
        if not alarm.get("AlarmActions"):
            yield f"{name} has no AlarmActions"
        if runbook is None or not (ROOT / "docs/runbooks" / f"{runbook['name']}.md").exists():
            yield f"{name} names no existing runbook at the end of its description"
        elif alarm["AlarmName"] not in [{"Fn::Sub": name} for name in _alarm_names(stack, alarm, runbook["name"])]:
            yield f"{name} and its runbook {runbook['name']} have different names"
        if "TreatMissingData" not in alarm:
            yield f"{name} does not say what missing data mean"
        yield from (f"{name}: {problem}" for problem in _expression_problems(alarm))


def feeds_out_of_step(stack: Stack) -> Iterator[str]:
    """Yield feeds whose silence no alarm tells, and alarms of feeds that there are not."""
    configured = {
        feed["name"]
        for name, parameter in stack.of_type("AWS::SSM::Parameter").items()
        if name == "Feeds"
        for feed in json.loads(parameter["Value"]["Fn::Sub"])
    }
    watched = {feed for alarm in alarms(stack).values() if alarm.get("MetricName") == _NEW for feed in _feed(alarm)}
    yield from (f"feed {feed} has no alarm on {_NEW}" for feed in sorted(configured - watched))
    yield from (f"an alarm on {_NEW} is about {feed}, which is no feed" for feed in sorted(watched - configured))


@pytest.mark.parametrize("stack", stacks(), ids=str)
def test_every_feed_has_its_own_alarm(stack: Stack) -> None:
    problems = list(feeds_out_of_step(stack))

    assert not problems, f"{stack}: " + "; ".join(problems)


@pytest.mark.parametrize("stack", stacks(), ids=str)
def test_everything_that_can_fail_is_watched(stack: Stack) -> None:
    problems = list(unwatched(stack))

    assert not problems, f"{stack}: " + "; ".join(problems)


@pytest.mark.parametrize("stack", stacks(), ids=str)
def test_every_alarm_reaches_somebody_who_finds_a_runbook(stack: Stack) -> None:
    problems = list(silent(stack))

    assert not problems, f"{stack}: " + "; ".join(problems)


def test_no_two_alarms_have_one_name() -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for stack in stacks() for alarm in alarms(stack).values()]

    assert len(names) == len(set(names))


def test_every_runbook_belongs_to_an_alarm() -> None:
    described = [alarm["AlarmDescription"] for stack in stacks() for alarm in alarms(stack).values()]
    named = {f"{found['name']}.md" for text in described if (found := RUNBOOK.search(text))}

    assert {path.name for path in ROOT.glob("docs/runbooks/*.md")} == named


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(metric, id=metric["MetricName"])
        for stack in stacks()
        for alarm in alarms(stack).values()
        for metric in _metrics_of(alarm)
        if metric["Namespace"] == "Gatehouse"
    ],
)
def test_every_metric_of_ours_is_published(metric: Json) -> None:
    published = Path(_source(metric)).read_text()
    service, *others = [dimension["Name"] for dimension in metric["Dimensions"]]

    assert service == "service"
    assert set(others) == set(re.findall(r'add_dimension\("(\w+)"', published))


@pytest.mark.parametrize("function", functions(), ids=str)
def test_slowness_is_measured_against_the_functions_own_timeout(function: Function) -> None:
    """The divisor in `startRun / 600` makes milliseconds a percentage of the timeout."""
    divisors = [
        int(found[1])
        for alarm in alarms(function.stack).values()
        for query in alarm.get("Metrics", [])
        if "MetricStat" in query and metrics({"Metrics": [query]}) == [("Duration", function.logical_id)]
        for found in [re.search(rf"\b{query['Id']} / (\d+)", _expression(alarm))]
        if found
    ]

    assert divisors == [function.properties["Timeout"] * 10]


ALARM = {
    "AlarmName": {"Fn::Sub": "gatehouse-${Environment}-firewall_logs-no-data"},
    "AlarmDescription": "Nothing comes. Runbook: docs/runbooks/firewall_logs-no-data.md",
    "AlarmActions": ["topic"],
    "TreatMissingData": "breaching",
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateAgeOfOldestMessage",
    "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}],
}


def _stack(alarm: Json, name: str = "example") -> Stack:
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadLetterTargetArn": _arn("Dead")}}},
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Work": {"Type": FUNCTION, "Properties": {}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    return Stack(ROOT / f"stacks/{name}.yaml", {"Resources": resources})


def _arn(name: str) -> Json:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_what_no_alarm_watches_is_reported() -> None:
    watched = [problem.removeprefix("no alarm watches ") for problem in unwatched(_stack(ALARM))]

    assert sorted(watched) == [
        "ApproximateNumberOfMessagesVisible of Dead",
        "Duration of Work",
        "Errors of Work",
        "Throttles of Work",
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"AlarmActions": []}, "no AlarmActions"),
        ({"AlarmDescription": "Nothing comes."}, "names no existing runbook"),
        ({"AlarmDescription": "Runbook: docs/runbooks/gone.md"}, "names no existing runbook"),
        ({"AlarmName": {"Fn::Sub": "gatehouse-${Environment}-other"}}, "have different names"),
        ({"TreatMissingData": None}, "does not say what missing data mean"),
    ],
)
def test_a_silent_alarm_is_reported(change: Json, complaint: str) -> None:
    alarm = {key: value for key, value in (ALARM | change).items() if value is not None}

    assert not list(silent(_stack(ALARM)))
    assert any(complaint in problem for problem in silent(_stack(alarm)))


def test_second_stack_of_a_domain_shares_a_runbook_under_an_alarm_name_of_its_own() -> None:
    alarm = ALARM | {"AlarmName": {"Fn::Sub": "gatehouse-${Environment}-firewall_logs-no-data-days"}}

    assert not list(silent(_stack(alarm, "firewall_logs_days")))
    assert any("have different names" in problem for problem in silent(_stack(alarm, "firewall_logs")))


def test_a_feed_without_alarm_is_reported() -> None:
    def alarm(feed: str) -> Json:
        dimensions = [{"Name": "service", "Value": "example"}, {"Name": "feed", "Value": feed}]
        return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": _NEW, "Dimensions": dimensions}}

    value = {"Fn::Sub": json.dumps([{"name": "heard"}, {"name": "unheard"}])}
    resources = {"Feeds": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": value}}}
    stack = Stack(
        ROOT / "stacks/example.yaml", {"Resources": {**resources, "One": alarm("heard"), "Two": alarm("gone")}}
    )

    assert list(feeds_out_of_step(stack)) == [
        f"feed unheard has no alarm on {_NEW}",
        f"an alarm on {_NEW} is about gone, which is no feed",
    ]


@pytest.mark.parametrize(
    ("expression", "problems"), [("a + b", 1), ("FILL(a, 0) + b", 1), ("SUM([a, b])", 0), ("100 * SUM(METRICS())", 0)]
)
def test_an_expression_without_value_is_reported(expression: str, problems: int) -> None:
    queries = [
        {"Id": name, "ReturnData": False, "MetricStat": {"Metric": {"Namespace": "AWS/X", "MetricName": name}}}
        for name in "ab"
    ]
    found = list(_expression_problems({"Metrics": [{"Id": "figure", "Expression": expression}, *queries]}))

    assert len(found) == problems


def _expression_problems(alarm: Json) -> Iterator[str]:
    queries = [query for query in alarm.get("Metrics", []) if "MetricStat" in query]
    if not queries:
        return
    expression = _expression(alarm)
    if len(queries) > METRICS_PER_ALARM:
        yield f"{len(queries)} metrics, where CloudWatch takes {METRICS_PER_ALARM}"
    for query in queries:
        if query.get("ReturnData") is not False:
            yield f"{query['Id']} returns data beside the expression"
        if not re.search(rf"\b{query['Id']}\b|METRICS\(\)", expression):
            yield f"{query['Id']} is not in the expression"
    sources = {_source(query["MetricStat"]["Metric"]) for query in queries}
    bare = LENIENT.sub("", expression)
    if len(sources) > 1 and any(re.search(rf"\b{query['Id']}\b", bare) for query in queries):
        yield "its expression has no value while one of its metrics has none: use SUM(METRICS()) or FILL"


def _source(metric: Json) -> str:
    """Return what publishes a metric; those of one source file are published together."""
    if metric["Namespace"] != "Gatehouse":
        return f"{metric['Namespace']} {metric['MetricName']} {_resource(metric)}"
    domain = metric["Dimensions"][0]["Value"]
    files = [
        path
        for path in ROOT.joinpath("functions", domain).rglob("*.py")
        if re.search(rf'"{metric["MetricName"]}", ("|MetricUnit\.)', path.read_text())
    ]
    assert files, f"nothing in functions/{domain} publishes {metric['MetricName']}"
    return str(files[0])


def _alarm_names(stack: Stack, alarm: Json, runbook: str) -> Iterator[str]:
    """Yield how an alarm may be called: as its runbook, which stacks of a domain may share, as alarms do feeds."""
    part = stack.name.removeprefix(stack.domain).strip("_")
    for parts in ([], [part] if part else []):
        yield "-".join(["gatehouse-${Environment}", runbook, *_feed(alarm), *parts])


def _feed(alarm: Json) -> list[str]:
    """Return the feed that an alarm is about, if it is about one."""
    return [dimension["Value"] for dimension in alarm.get("Dimensions", []) if dimension["Name"] == "feed"]


def _expression(alarm: Json) -> str:
    return next(str(query["Expression"]) for query in alarm["Metrics"] if "Expression" in query)


def _resource(metric: Json) -> str | None:
    for dimension in metric.get("Dimensions", []):
        value: Any = dimension["Value"]
        if isinstance(value, dict):
            return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])
    return None


def _dead_letter_queues(value: Any) -> Iterator[str]:
    """Yield the queue of every redrive policy and dead-letter configuration within a template."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "deadLetterTargetArn" or (key == "DeadLetterConfig" and (inner := inner["Arn"])):
                yield inner["Fn::GetAtt"][0]
            yield from _dead_letter_queues(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dead_letter_queues(inner)
