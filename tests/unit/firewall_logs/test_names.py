"""Documents stay small whatever a source invents, and their sums stay right."""

import random
from collections import Counter

import pytest

from firewall_logs import names, schema
from firewall_logs.contracts import Drift, Omitted
from firewall_logs.names import add_up, first_columns


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let ten names be many."""
    monkeypatch.setattr(names, "MOST_NAMES", 10)
    return 10


def _parts(seed: int) -> list[Drift]:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    counts = [{f"k{chance.randrange(60):02}": chance.randrange(1, 9) for _ in range(25)} for _ in range(6)]
    return [Drift(columns=count, values={"Action": count}, time_forms={"unix": 1}) for count in counts]


def test_drift_of_a_million_names_is_a_thousand_and_a_count() -> None:
    drift = add_up([Drift(columns={f"{number:07}": 2 for number in range(1_000_000)})])
    assert list(drift.columns) == [f"{number:07}" for number in range(1000)]
    assert drift.columns_omitted == Omitted(names=999_000, rows=1_998_000)
    assert len(drift.model_dump_json()) < 20_000


def test_values_are_bounded_by_field(few: int) -> None:
    drift = add_up([Drift(values={"Action": dict.fromkeys("abcdefghijklm", 1), "Source": {"x": 5}})])
    assert drift.values == {"Action": dict.fromkeys("abcdefghij", 1), "Source": {"x": 5}}
    assert drift.values_omitted == {"Action": Omitted(names=3, rows=3)}


@pytest.mark.parametrize("seed", range(20))
def test_sum_is_the_same_in_any_order_and_its_rows_are_exact(few: int, seed: int) -> None:
    parts = _parts(seed)
    exact: Counter[str] = Counter()
    for part in parts:
        exact.update(part.columns)
    bounded = [add_up([part]) for part in parts]
    total = add_up(bounded)
    assert total == add_up(reversed(bounded))
    grouped = add_up([add_up(bounded[:3]), add_up(bounded[3:])])
    assert (grouped.columns, grouped.columns_omitted.rows) == (total.columns, total.columns_omitted.rows)
    assert total.columns == {name: exact[name] for name in sorted(exact)[:few]} == total.values["Action"]
    assert sum(total.columns.values()) + total.columns_omitted.rows == exact.total()
    assert total.columns_omitted == total.values_omitted["Action"]
    assert total.columns_omitted.names >= len(exact) - few
    assert total.time_forms == {"unix": len(parts)}


def test_long_names_are_cut_and_stay_apart() -> None:
    long = ["é" * 5000 + end for end in "ab"]
    drift = add_up([Drift(columns=dict.fromkeys(long, 1))])
    assert [len(name) for name in drift.columns] == [names.LONGEST_NAME] * 2
    assert add_up([drift]) == drift
    assert first_columns(long) == (list(drift.columns), 0)


def test_documented_columns_are_always_kept(few: int) -> None:
    strange = [f"A{number:05}" for number in range(1000)]
    kept, omitted = first_columns([*strange, *schema.FIELD_BY_RAW])
    assert kept == sorted([*strange[:few], *schema.FIELD_BY_RAW])
    assert omitted == 1000 - few


def test_little_is_left_as_it_is() -> None:
    drift = Drift(columns={"New": 3}, values={"Action": {"odd": 2}}, time_forms={"unix": 10})
    assert add_up([drift]) == drift
    assert add_up([]) == Drift()
    assert first_columns(["b", "a", "b"]) == (["a", "b"], 0)
