"""Which lines the bulk reader is sure of; that it is right about them is for the tests against the reference."""

import json

import polars as pl
import pytest

from firewall_logs import bulk_lines
from firewall_logs.bulk_lines import BulkReader
from firewall_logs.structures import Structure
from tests.support.raw import an_event


def _lines(*events: object) -> pl.Series:
    return pl.Series([event if isinstance(event, str) else json.dumps(event) for event in events])


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ClientRequestQuery": '?q="><script>\\x\n'},
        {"ClientRequestUserAgent": "Mozilla:", "Ref": ":"},
        {"Datetime": 1780308000123456789, "ClientASN": "13335", "RuleID": 5},
        {"Metadata": {"a": 1, "b": {"c": ["x", None, True]}}, "ContentScanObjSizes": [1, 20, 300]},
        {"LeakedCredentialCheckResult": None},
        {"NewColumn": "x", "Another": {"a": [1]}, "Third": -7, "Fourth": False},
        {"at": "x", "structure": {"a": 1}, "extra": 5, "row": None, "line": True},
    ],
)
def test_lines_as_cloudflare_writes_them_are_read_at_once(changed: dict[str, object]) -> None:
    rows = BulkReader().read(_lines(an_event(1), an_event(2) | changed))
    assert rows["at"].to_list() == [0, 1]


@pytest.mark.parametrize(
    "doubtful",
    [
        '{"RayID":"a","RayID":"b"}',
        '{"Action":true}',
        '{"EdgeResponseStatus":1.0}',
        '{"Metadata":{"a":"\\u0001"}}',
        '{"Metadata":{"a":1,"a":2}}',
        '{"Ref":"\\ud800"}',
        '{"Ref":"a\tb"}',
        '{"ContentScanObjTypes":{}}',
        '{"new:":"x"}',
        '{"EdgeStartTimestamp":1}',
        "[]",
        "{",
    ],
)
def test_line_that_a_parser_of_columns_would_misread_is_left(doubtful: str) -> None:
    rows = BulkReader().read(_lines(an_event(1), doubtful, an_event(2)))
    assert rows["at"].to_list() == [0, 2]


def test_columns_do_not_grow_with_ever_new_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_lines, "_MOST_UNKNOWN", 3)
    reader = BulkReader()
    rows = reader.read(_lines(*(an_event(n) | {f"New{n}": n} for n in range(10))))
    assert rows["at"].to_list() == [0, 1, 2]
    assert {key for key in reader.keys if key.startswith("New")} == {"New0", "New1", "New2"}


def test_structures_that_never_return_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_lines, "_MOST_STRUCTURES", 2)
    lines = _lines(*(an_event(n) | {"ContentScanObjSizes": [n % 5]} for n in range(10)))
    assert BulkReader().read(lines)["at"].to_list() == list(range(10))


def test_block_the_parser_refuses_is_left_to_the_strict_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    # No line is known that the strict reader takes and polars does not; should there be one, it costs time only.
    monkeypatch.setattr(bulk_lines, "structure_of", lambda _: Structure(frozenset(), {}, frozenset()))
    assert BulkReader().read(_lines(an_event(1), "{nonsense")).is_empty()
