from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from bench import firewall_scale
from bench.documents import replaced
from bench.firewall_scale import CHART, DOCUMENT, FUNCTION_MB, OBJECTS_A_DAY, Archive, Speeds, daily
from bench.scale_chart import chart
from bench.scale_model import runs_of_a_day
from tests.support.templates import functions, stacks


@pytest.fixture(scope="module")
def speeds() -> Speeds:
    return Speeds.measured()


def test_document_holds_what_the_model_says(speeds: Speeds) -> None:
    document = DOCUMENT.read_text()
    expected = replaced(document, firewall_scale.figures(speeds), firewall_scale.MARKS)
    assert document == expected, "docs/scale.md is behind: make bench-scale ARGS=--write"


def test_chart_shows_what_the_model_says(speeds: Speeds) -> None:
    assert CHART.read_text() == firewall_scale.drawn(speeds), "the chart is behind: make bench-scale ARGS=--write"


def test_functions_are_deployed_with_the_memory_that_is_paid_for() -> None:
    deployed = {found.module.rpartition(".")[2]: found.properties["MemorySize"] for found in functions()}
    assert {name: deployed[name] for name in FUNCTION_MB} == FUNCTION_MB


def test_parameters_are_those_of_the_templates() -> None:
    parameters = {name: found.get("Default") for stack in stacks() for name, found in stack.body["Parameters"].items()}
    [batch_size] = [
        found["BatchSize"]
        for stack in stacks()
        for found in stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if "MaximumBatchingWindowInSeconds" in found and "NewObjects" in stack.resources
    ]
    assert parameters["FirewallLogsMaxConcurrency"] == firewall_scale.CONCURRENCY
    assert parameters["FirewallLogsBatchMaxConcurrency"] == firewall_scale.TASKS_AT_ONCE
    assert parameters["FirewallLogsBatchingSeconds"] == firewall_scale.BATCHING_SECONDS
    assert parameters["FirewallLogsBatchCpu"] == str(firewall_scale.TASK_VCPUS * 1024)
    assert parameters["UnitMegabytes"] == firewall_scale.UNIT_MEGABYTES
    assert batch_size == firewall_scale.BATCH_SIZE


def test_every_file_is_planned_as_the_planner_does(speeds: Speeds) -> None:
    archive = Archive.planned(speeds)
    # 28 row groups a file, nine in a slice of 2.4 million rows; and a slice is more than a unit's megabytes.
    assert (archive.slices, archive.units) == (277 * 4, 277 * 4)
    assert archive.tasks < archive.units / 20


@pytest.mark.parametrize(
    ("objects", "runs"),
    [
        pytest.param(1, 1, id="one"),
        pytest.param(1_000, 1_000, id="less than one a minute: each alone"),
        pytest.param(14_400, 1_440, id="ten a minute: a run a minute"),
        pytest.param(2_880_000, 14_400, id="more than a batch holds"),
    ],
)
def test_runs_gather_what_a_window_brings(objects: int, runs: int) -> None:
    assert runs_of_a_day(objects, batching_seconds=60, batch_size=200) == runs


def test_a_day_of_more_objects_costs_more(speeds: Speeds) -> None:
    for rows in (2_000_000, 20_000_000):
        days = [daily(objects, rows, speeds).total for objects in OBJECTS_A_DAY[1:]]
        assert all(fewer < more for fewer, more in pairwise(days))


def test_a_day_costs_the_sum_of_its_parts(speeds: Speeds) -> None:
    day = daily(100, 1_000_000, speeds)
    assert day.total == pytest.approx(sum(day.usd.values()))
    assert set(day.usd) == {"Lambda", "Step Functions", "S3", "DynamoDB", "other"}
    # A run of one object: 8 states, and a unit with its start; the seal: 13, and a cut with its start.
    assert day.transitions == 100 * (8 + 2) + 13 + 2


def test_chart_has_every_point_and_every_name() -> None:
    drawn = ET.fromstring(chart("title", {"one": [(1, 0.01), (10, 0.1)], "two": [(100, 3)]}))  # noqa: S314 - our own
    names = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 3
    assert {"title", "one", "two"} <= set(names)
