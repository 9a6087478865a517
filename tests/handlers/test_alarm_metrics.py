"""What alarms and the dashboard of database_logs read is what its handlers say, on a day on which everything fails."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any, Final
from unittest.mock import patch

import pytest

from database_logs.handlers import collect_file, discover_logs, forward_records
from kernel import observability
from local.rds.model.script import Effect, Rule
from tests.support.aws import account
from tests.support.context import Context
from tests.support.parsed_logs import batch, file_of, slow_event
from tests.support.rds_collecting import collecting, database, pg_lines
from tests.support.searching import parsed, searching
from tests.support.templates import Json, stacks

STACKS: Final = [stack for stack in stacks() if stack.domain == "database_logs"]
[ENVIRONMENT] = {
    json.dumps(stack.body["Globals"]["Function"]["Environment"]["Variables"])
    for stack in STACKS
    if "Globals" in stack.body
}
[BOARD] = [board for stack in STACKS for board in stack.of_type("AWS::CloudWatch::Dashboard").values()]
QUERIES: Final = [
    widget["properties"]["query"]
    for widget in json.loads(BOARD["DashboardBody"]["Fn::Sub"])["widgets"]
    if widget["type"] == "log"
]


def alarm_metrics() -> Iterator[Json]:
    """Yield the metrics of ours that alarms read."""
    for stack in STACKS:
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
            metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
            yield from (metric for metric in metrics or [alarm] if metric["Namespace"] == "Gatehouse")


@pytest.fixture(scope="module")
def lines() -> list[Json]:
    """Return what the handlers printed: one JSON a line, logs and EMF alike."""
    variables, printed = json.loads(ENVIRONMENT), io.StringIO()
    logged = logging.StreamHandler(printed)
    logged.setFormatter(observability.logger.registered_formatter)
    logger, provider = logging.getLogger(observability.logger.name), observability.metrics.provider
    logger.addHandler(logged)
    try:
        with (
            redirect_stdout(printed),
            patch.object(provider, "namespace", variables["POWERTOOLS_METRICS_NAMESPACE"]),
            patch.object(provider, "service", variables["POWERTOOLS_SERVICE_NAME"]),
            patch.object(time, "sleep", lambda _: None),
        ):
            _collect()
            _forward()
    finally:
        logger.removeHandler(logged)
    return [json.loads(line) for line in printed.getvalue().splitlines()]


def _collect() -> None:
    """Discover three instances, of two of which RDS tells nothing; collect the first's file at the second attempt."""
    with collecting() as run:
        for name in ("orders-1", "orders-2", "orders-3"):
            instance, logs = database(run, "postgres", "stderr", name=name)
            instance.tags["team"] = "orders"
            logs["stderr"].write(pg_lines(0, 10))
        run.server.control.script(
            [
                Rule(Effect.ACCESS_DENIED, instance="orders-2", times=1),
                Rule(Effect.INTERNAL_FAILURE, instance="orders-3", times=None),
            ]
        )
        discover_logs.handler({}, Context())
        run.server.control.script([Rule(Effect.INTERNAL_FAILURE, instance="orders-1", times=5)])
        messages = run.messages()
        for _ in range(2):
            collect_file.handler({"Records": messages}, Context())


def _forward() -> None:
    """Parse a segment and send it to an engine that is down."""
    with account(), searching() as server:
        server.phases.extend(["503"] * 7)
        file = file_of().model_copy(update={"tags": {"team": "orders"}})
        forward_records.handler(batch(parsed(slow_event(datetime.now(UTC), "SELECT 1"), file)), Context())


def _emitted(lines: list[Json]) -> list[tuple[str, str, dict[str, str], str, float]]:
    """Return namespace, name, dimensions, unit and value of each metric, as CloudWatch takes them from a line."""
    return [
        (
            block["Namespace"],
            metric["Name"],
            {name: line[name] for name in dimensions},
            metric["Unit"],
            max(line[metric["Name"]]),
        )
        for line in lines
        for block in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for dimensions in block["Dimensions"]
        for metric in block["Metrics"]
    ]


@pytest.mark.parametrize("alarm", [pytest.param(metric, id=metric["MetricName"]) for metric in alarm_metrics()])
def test_alarm_reads_what_is_emitted_under_its_very_dimensions(alarm: Json, lines: list[Json]) -> None:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    found = [
        emitted for emitted in _emitted(lines) if emitted[:3] == (alarm["Namespace"], alarm["MetricName"], dimensions)
    ]

    assert found
    # An alarm that names a unit sees none of another.
    assert {alarm.get("Unit", unit) for *_, unit, _ in found} == {unit for *_, unit, _ in found}


@pytest.mark.parametrize(
    "name",
    [
        "InstancesFailed",
        "InstancesRefused",
        "CollectionsFailed",
        "RdsCallsFailed",
        "SearchRequestsFailed",
        "TimeToLoss",
    ],
)
def test_what_fails_is_counted_where_its_alarm_looks(name: str, lines: list[Json]) -> None:
    assert max(value for _, metric, _, _, value in _emitted(lines) if metric == name) > 0


def test_account_that_refuses_is_named_to_whoever_looks_for_it(lines: list[Json]) -> None:
    [told] = [line for line in lines if line.get("message") == "logs may not be read"]

    assert "orders-2" in told["reason"]


def test_instance_that_rds_does_not_answer_about_is_named_to_whoever_looks_for_it(lines: list[Json]) -> None:
    [told] = [line for line in lines if line.get("message") == "RDS gave no answer"]

    assert "orders-3" in told["reason"]


@pytest.mark.parametrize("query", QUERIES)
def test_query_of_costs_finds_its_fields_in_what_both_functions_log(query: str, lines: list[Json]) -> None:
    sums, [group] = re.findall(r"sum\((\w+)\)", query), re.findall(r" by ([\w.]+) \|", query)
    [filtered] = re.findall(r"ispresent\((\w+)\)", query)
    messages = {"collect-file": "file collected", "parse-segment": "segment parsed"}
    assert re.findall(r"SOURCE '[^']*-database-logs-([\w-]+)'", query) == list(messages)

    for message in messages.values():
        # What the refused attempt cost is told, too; it brought nothing.
        [line] = [line for line in lines if line.get("message") == message and line["bytes"]]
        assert filtered in line
        assert all(isinstance(line[name], int | float) and line[name] > 0 for name in sums)
        assert _at(line, group) in {"orders-1", "orders"}


def test_no_other_line_of_these_functions_counts_as_a_cost(lines: list[Json]) -> None:
    assert {line["message"] for line in lines if "usd" in line} == {"file collected", "segment parsed"}


def _at(line: Json, path: str) -> Any:
    """Return a field the way Logs Insights names it: with a dot for each object that it is in."""
    value: Any = line
    for name in path.split("."):
        value = value[name]
    return value
