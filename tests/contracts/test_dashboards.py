"""Dashboards show what there is: our metrics all, and nothing that nobody emits; every widget has its place."""

import json
import re
from collections.abc import Iterator

import pytest

from local.paths import ROOT
from tests.support.templates import Json, Stack, stacks

_AWS = re.compile(r"^(AWS/\w+|ECS/ContainerInsights)$")
_SEARCHED = re.compile(
    r"SEARCH\('\{(?P<namespace>[^,]+),[^}]+\}(?P<terms>.*) MetricName=\"(?P<metric>\w+)\"', '\w+', \d+\)$"
)
_UNITS = {"Count", "Bytes", "Seconds", "Percent", "Count/Second", "None"}
_METRIC = re.compile(rf'"([A-Z]\w+)", (?:"(?:{"|".join(_UNITS)})"|MetricUnit\.)')
# Metrics of a domain that are on no dashboard, and why.
NOT_SHOWN: dict[str, dict[str, str]] = {
    "firewall_logs": {"UsdPerMillionRows": "of single runs; the dashboard divides the day's cost by the day's rows"}
}
_COLUMNS = 24


def dashboards() -> Iterator[tuple[Stack, Json]]:
    for stack in stacks():
        for properties in stack.of_type("AWS::CloudWatch::Dashboard").values():
            text = properties["DashboardBody"]["Fn::Sub"]
            # A parameter that stands for a number has no quotes around it.
            yield stack, json.loads(re.sub(r"(?<=: )\$\{\w+\}", "1", text))


def emitted(domain: str) -> set[str]:
    """Return the names that follow the form of our metrics anywhere in a domain's code."""
    texts = (path.read_text() for path in ROOT.joinpath("functions", domain).rglob("*.py"))
    return {name for text in texts for name in _METRIC.findall(text)} - _UNITS


def shown(board: Json) -> set[str]:
    """Return the names of our metrics that a dashboard draws, or searches for."""
    lines = [line for widget in board["widgets"] for line in widget["properties"].get("metrics", ())]
    searched = [_SEARCHED.search(_options(line).get("expression", "")) for line in lines]
    return {line[1] for line in lines if line[0] == "Gatehouse"} | {
        found["metric"] for found in searched if found and found["namespace"] == "Gatehouse"
    }


def documented(domain: str) -> set[str]:
    """Return the metrics that the page of a domain lists."""
    page = ROOT.joinpath("docs", f"{domain}.md").read_text()
    _, _, section = page.partition("\n## Metrics\n")
    return set(re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE))


def unknown_metrics(widgets: list[Json], known: set[str], domain: str) -> Iterator[str]:
    """Yield lines of widgets that nobody will ever draw."""
    for widget in widgets:
        if widget["type"] == "log":
            continue
        ids = {line[-1]["id"] for line in widget["properties"]["metrics"] if "id" in _options(line)}
        for line in widget["properties"]["metrics"]:
            expression = _options(line).get("expression")
            if expression is not None and expression.startswith("SEARCH"):
                yield from _searched_in_vain(expression, known, domain)
            elif expression is not None:
                yield from (
                    f"{name} of {expression} is no line"
                    for name in re.findall(r"[a-z]\w*", expression)
                    if name not in ids
                )
            elif line[0] == "Gatehouse":
                if line[1] not in known or line[2:4] != ["service", domain]:
                    yield f"nothing in functions/{domain} emits {line[1]} with {line[2:4]}"
            elif not _AWS.match(line[0]):
                yield f"{line[0]} is no namespace of ours or AWS's"


def _searched_in_vain(expression: str, known: set[str], domain: str) -> Iterator[str]:
    found = _SEARCHED.search(expression)
    if found and found["namespace"] == "Gatehouse":
        if found["metric"] not in known or f'service="{domain}"' not in found["terms"]:
            yield f"nothing in functions/{domain} emits what {expression} searches"
    elif found is None or not _AWS.match(found["namespace"]):
        yield f"{expression} searches no namespace of ours or AWS's"


def overlaps(widgets: list[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for widget in widgets:
        title = widget["properties"]["title"]
        if widget["x"] + widget["width"] > _COLUMNS:
            yield f"{title} is wider than the dashboard"
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                if taken.setdefault((x, y), title) != title:
                    yield f"{title} lies on {taken[x, y]}"
                    return


BOARDS = [pytest.param(stack, board, id=str(stack)) for stack, board in dashboards()]


@pytest.mark.parametrize(("stack", "board"), BOARDS)
def test_every_metric_of_a_dashboard_is_emitted(stack: Stack, board: Json) -> None:
    assert not list(unknown_metrics(board["widgets"], emitted(stack.domain), stack.domain))


@pytest.mark.parametrize(("stack", "board"), BOARDS)
def test_every_metric_is_on_the_dashboard_or_has_a_reason_not_to_be(stack: Stack, board: Json) -> None:
    hidden = NOT_SHOWN.get(stack.domain, {})
    assert emitted(stack.domain) - shown(board) == hidden.keys()


@pytest.mark.parametrize(("stack", "board"), BOARDS)
def test_every_metric_is_documented_and_no_other(stack: Stack, board: Json) -> None:
    assert documented(stack.domain) == emitted(stack.domain)


@pytest.mark.parametrize(("stack", "board"), BOARDS)
def test_widgets_have_their_place(stack: Stack, board: Json) -> None:
    assert not list(overlaps(board["widgets"]))


def logged_fields(widgets: list[Json]) -> dict[str, set[str]]:
    """Return the fields that queries of logs ask for, by the handlers that are to log them."""
    queries = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    fields = {name for query in queries for name in re.findall(r"(?:ispresent\(|sum\(|\bby )(\w+)", query)}
    groups = {name for query in queries for name in re.findall(r"_logs-([\w-]+)'", query.replace("-logs-", "_logs-"))}
    return {group.replace("-", "_"): fields for group in groups}


def test_every_domain_has_a_dashboard() -> None:
    assert sorted(stack.domain for stack, _ in dashboards()) == ["database_logs", "firewall_logs"]


@pytest.mark.parametrize(("stack", "board"), BOARDS)
def test_fields_that_a_query_of_logs_asks_for_are_logged(stack: Stack, board: Json) -> None:
    for handler, fields in logged_fields(board["widgets"]).items():
        text = ROOT.joinpath("functions", stack.domain, "handlers", f"{handler}.py").read_text()
        assert {field for field in fields if f"{field}=" not in text} == set()


WIDGET = {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": {"title": "a", "metrics": []}}
GONE = "SEARCH('{Gatehouse,feed,service} service=\"firewall_logs\" MetricName=\"RowsGone\"', 'Sum', 300)"
ANYBODYS = "SEARCH('{Gatehouse,feed,service} MetricName=\"RowsRead\"', 'Sum', 300)"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (["Gatehouse", "RowsGone", "service", "firewall_logs"], "emits RowsGone"),
        (["Gatehouse", "RowsRead", "service", "other"], "emits RowsRead"),
        (["Custom", "RowsRead"], "no namespace"),
        ([{"expression": "100 * gone", "id": "a"}], "gone of 100"),
        ([{"expression": "SEARCH('{Custom,Name} MetricName=\"X\"', 'Sum', 300)"}], "searches no namespace"),
        ([{"expression": GONE}], "emits what"),
        ([{"expression": ANYBODYS}], "emits what"),
    ],
)
def test_a_line_that_nobody_draws_is_reported(line: list[object], complaint: str) -> None:
    widget = {**WIDGET, "properties": {"title": "a", "metrics": [line]}}
    [problem] = unknown_metrics([widget], {"RowsRead"}, "firewall_logs")
    assert complaint in problem


def test_widgets_on_top_of_each_other_are_reported() -> None:
    other = {**WIDGET, "x": 5, "properties": {"title": "b", "metrics": []}}
    assert list(overlaps([WIDGET, other])) == ["b lies on a"]
    assert list(overlaps([{**WIDGET, "x": 20}])) == ["a is wider than the dashboard"]


def _options(line: list[Json]) -> Json:
    return line[-1] if isinstance(line[-1], dict) else {}
