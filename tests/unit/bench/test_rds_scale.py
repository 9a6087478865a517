import re
from itertools import pairwise

import pytest

from bench import rds_scale
from bench.documents import replaced
from bench.rds_scale import (
    ACCOUNT_REGIONS,
    DOCUMENT,
    INTERVAL_SECONDS,
    LANES,
    MOST_AT_ONCE,
    RATE,
    ROOT,
    demand,
    month,
)
from bench.rds_scale_model import PORTION_BYTES, Task, discovery_calls, queue_requests, task_calls, task_write_units
from database_logs.discovery.fleet import Fleet


def test_document_holds_what_the_model_says() -> None:
    document = DOCUMENT.read_text()
    expected = replaced(document, rds_scale.figures(), rds_scale.MARKS)
    assert document == expected, "docs/scale.md is behind: make bench-rds-scale ARGS=--write"


def test_cost_of_a_small_fleet_is_what_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "database_logs.md").read_text()
    said = re.search(r"(\d+) TB a month from (\d+) busy instances costs about (\d+) USD", text)
    assert said is not None
    terabytes, instances, usd = map(int, said.groups())
    monkeypatch.setattr(rds_scale, "INSTANCES", instances)
    monkeypatch.setattr(rds_scale, "BYTES", terabytes * 1e12)
    assert usd == round(sum(month(1).usd.values()))


def test_portions_are_as_many_as_megabytes_and_cut_lines_cost_some_more() -> None:
    assert Task(size=10 * PORTION_BYTES).portions == 10
    assert Task(size=10 * PORTION_BYTES, line_bytes=200).portions == 11
    assert task_calls(Task(size=10 * PORTION_BYTES, streamed=True)).total() == 1


def test_a_pass_asks_for_pages_of_instances_and_for_the_files_of_those_that_are_due() -> None:
    assert discovery_calls(316, 100, 9) == {
        "rds.DescribeEvents": 1,
        "rds.DescribeDBInstances": 4,
        "rds.DescribeDBClusters": 4,
        "rds.DescribeDBLogFiles": 100,
        "rds.DescribeDBParameters": 9,
    }


def test_a_further_segment_costs_its_plan_job_and_commit() -> None:
    one, two = (task_write_units(Task(size=1, segments=segments)) for segments in (1, 2))
    assert two - one == 3 + 2 * 2


@pytest.mark.parametrize(("batched", "requests"), [(True, 2 + 2 * 2), (False, 20 + 2 * 2)])
def test_messages_are_sent_by_tens_where_they_are_batched(batched: bool, requests: int) -> None:  # noqa: FBT001 - which
    assert queue_requests(20, batched=batched, batch_size=10) == requests


def test_budget_is_never_overspent_and_more_accounts_bring_more_by_portions() -> None:
    for each in map(demand, ACCOUNT_REGIONS):
        assert each.asked - each.complete_files <= RATE + 1e-9
    for fewer, more in pairwise(map(demand, ACCOUNT_REGIONS)):
        assert fewer.by_portions <= more.by_portions
        assert fewer.most_bytes < more.most_bytes


def test_what_portions_do_not_bring_comes_by_complete_files() -> None:
    [one, *_, six] = [month(number) for number in ACCOUNT_REGIONS]
    assert one.calls["complete files"] > 0
    assert six.calls["complete files"] == 0
    assert one.calls["DownloadDBLogFilePortion"] < six.calls["DownloadDBLogFilePortion"]


def test_what_is_done_at_once_is_what_is_deployed_by_default() -> None:
    parameter = ROOT.joinpath("template.yaml").read_text().partition("  DatabaseLogsMaxConcurrency:")[2]
    portions = ROOT.joinpath("stacks/database_logs.yaml").read_text().partition('CONCURRENT_PORTIONS: "')[2]
    assert parameter.partition("Default: ")[2].split(maxsplit=1)[0] == str(MOST_AT_ONCE)
    assert portions.partition('"')[0] == str(LANES)


def test_portions_side_by_side_cost_less_only_where_the_budget_is_not_spent() -> None:
    one, eight = month(4, 1), month(4, 8)
    assert eight.waiting < one.waiting / 5
    assert month(1, 1).usd["collection"] >= month(1, 8).usd["collection"] > eight.usd["collection"]


def test_interval_is_that_of_the_fleet_by_default() -> None:
    fields = Fleet.model_fields
    assert (fields["interval_seconds"].default, fields["rate"].default) == (INTERVAL_SECONDS, RATE)
