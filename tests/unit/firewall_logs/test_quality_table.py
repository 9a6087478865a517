import io

import pyarrow.parquet as pq
import pytest

from firewall_logs.days.contracts import Verdict
from firewall_logs.days.quality import judge
from firewall_logs.days.quality_table import quality_table
from tests.support.quality import FEED, a_rule, figures, rules

pytestmark = pytest.mark.pyarrow


@pytest.fixture
def verdicts() -> list[Verdict]:
    return judge(rules(a_rule(measure="rows", fail={"above": 1})), [FEED, "3"], figures())


def test_each_verdict_is_a_row(verdicts: list[Verdict]) -> None:
    read = pq.read_table(io.BytesIO(quality_table(3, verdicts)))
    assert read.schema.names == ["feed", "rule", "measure", "level", "figure", "limit", "detail", "version"]
    assert read.to_pylist() == [
        one.model_dump() | {"version": 3} for one in sorted(verdicts, key=lambda one: (one.feed, one.rule))
    ]
    assert {str(read.schema.field(name).type) for name in ("feed", "detail", "level")} == {"string"}


def test_figures_that_there_are_not_are_null(verdicts: list[Verdict]) -> None:
    read = pq.read_table(io.BytesIO(quality_table(1, verdicts)))
    assert read["figure"].null_count == sum(one.figure is None for one in verdicts) > 0


def test_the_same_verdicts_give_the_same_bytes(verdicts: list[Verdict]) -> None:
    assert quality_table(1, verdicts) == quality_table(1, reversed(verdicts))
    assert quality_table(1, verdicts) != quality_table(2, verdicts)


def test_a_day_without_verdicts_has_a_file_all_the_same() -> None:
    assert pq.read_table(io.BytesIO(quality_table(1, []))).num_rows == 0
