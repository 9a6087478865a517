"""The transform and the plain reference must say the same of any rows, however messy, in either format."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import firewall_reference as reference
from tests.support.effort import examples
from tests.support.firewall import MODIFIED
from tests.support.firewall_slices import Written, of_frame, transformed

_SETTINGS = settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
_KNOWN: dict[str, Any] = {"last_modified": MODIFIED, "feed": "47", "zone": "media.example"}


def _raw_json(value: Any) -> str:
    """Return JSON text of a value; Num keeps its text."""
    match value:
        case reference.Num():
            return value.text
        case dict():
            return "{" + ",".join(f"{json.dumps(k)}:{_raw_json(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_raw_json, value)) + "]"
    return json.dumps(value)


def _num(*texts: str) -> st.SearchStrategy[reference.Num]:
    return st.sampled_from([reference.Num(text) for text in texts])


INTEGERS = st.one_of(
    st.integers(-2, 1100).map(lambda n: reference.Num(str(n))),
    _num("-0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "4294967296", "1" * 30, "007"[1:]),
)
FLOATS = _num("1.0", "1.10", "1e3", "-0.5", "1E400", "0.1e-7")
TEXTS = st.one_of(
    st.sampled_from(
        ["", "a", "null", "12", "-7", "007", "+1", " 1", "1.0", "é", "\u2028", "\x00", 'q"q', "b\\s", "😀"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, FLOATS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(["b", "a", "é", "dos-source"]), NESTED, max_size=3)
TIMES = st.one_of(
    st.sampled_from(
        [
            "2026-06-01T10:00:00Z",
            "2026-06-01T10:00:00.5Z",
            "2026-06-01t12:00:00.500000000000+02:00",
            "2026-06-01 10:00:00.123456789z",
            "2026-06-02T23:59:59.999999999Z",
            "2026-06-01 10:00:00",
            "2026-02-30T10:00:00Z",
            "2026-06-01T23:59:60Z",
            "2026-06-01T10:00:00.Z",
            "2026-06-01T10:00:00.0000000001Z",
            "2026-06-01T10:00:00+24:00",
            "0000-01-01T00:00:00Z",
            "2026-06-04T00:00:00Z",
            "2026-06-04T00:00:00.000000001Z",
            "2009-12-31T23:59:59.999999999Z",
            "1780308000",
            "1780308000500000000",
            "01780308000",
            "٢٠٢٦",
            "yesterday",
            "",
        ]
    ),
    _num(
        "1780308000", "1780308000000", "1780308000000000", "1780308000000000000", "1780308000500000000", "0", "-5",
        "1780308000.0", "4102444800", "946684799", "1" * 25,
    ),
    st.sampled_from([None, True, ["2026-06-01T10:00:00Z"], {"a": reference.Num("1")}]),
)  # fmt: skip
IPS = st.sampled_from(
    ["192.0.2.1", "192.0.2.01", "256.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7::", "::1%eth0", "::",
     "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "unknown", "", " 192.0.2.1"]
)  # fmt: skip
HOSTS = st.sampled_from(
    [
        "www.example.com",
        "EXAMPLE.co.uk:8443",
        "a.b.github.io.",
        "192.0.2.1:80",
        "[::1]:443",
        "localhost",
        "",
        "com",
        "é.de",
    ]
)
PATHS = st.sampled_from(
    ["/", "", "/a/12/b", "/" + "a1" * 8, "/" + "A" * 16 + "/x", "/0f8fad5b-d9cb-469f-a165-70867728950E/",
     "/abcdefghij-ABCDEFGHIJ_1", "/abcdefghijABCDEFGHIJ", "//12", "/١٢"]
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Datetime": TIMES,
    "Action": st.one_of(st.sampled_from(["block", "BLOCK", "tarpit"]), TEXTS, INTEGERS, FLOATS, st.booleans()),
    "ClientIP": st.one_of(IPS, INTEGERS, OBJECTS),
    "ClientRequestHost": st.one_of(HOSTS, TEXTS, st.none()),
    "ClientRequestPath": st.one_of(PATHS, TEXTS),
    "EdgeResponseStatus": st.one_of(INTEGERS, TEXTS, FLOATS, st.booleans(), st.none()),
    "ClientASN": st.one_of(INTEGERS, TEXTS),
    "MatchIndex": st.one_of(INTEGERS, st.lists(INTEGERS, max_size=1)),
    "Metadata": st.one_of(OBJECTS, OBJECTS.map(_raw_json), TEXTS, NESTED),
    "ContentScanObjSizes": st.one_of(
        st.lists(st.one_of(INTEGERS, TEXTS, st.none()), max_size=3),
        st.lists(INTEGERS, max_size=3).map(_raw_json),
        NESTED,
    ),
    "ContentScanObjTypes": st.one_of(st.lists(st.one_of(TEXTS, st.none(), INTEGERS), max_size=3), NESTED),
    "RayID": st.one_of(st.sampled_from(["7090a9da88e333d8", "00"]), TEXTS),
    "RuleID": TEXTS,
    "Source": st.sampled_from(["waf", "llmguard", None]),
    "EdgeStartTimestamp": st.one_of(INTEGERS, st.none()),
    "BotScoreSrc": st.one_of(TEXTS, NESTED),
    "row": INTEGERS,
    "at": NESTED,
    "structure": TEXTS,
    "extra": NESTED,
    "é": NESTED,
}
SOUND = {
    "Datetime": "2026-06-01T10:00:00Z",
    "Action": "block",
    "ClientIP": "192.0.2.1",
    "ClientRequestHost": "www.example.com",
    "EdgeResponseStatus": reference.Num("403"),
    "Metadata": {"b": "1", "a": "é"},
}


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A sound row of which a few values are messy, so that not every row fails at its first field."""
    messy = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True))
    dropped = draw(st.sets(st.sampled_from(sorted(SOUND)), max_size=1)) if draw(st.integers(0, 4)) == 0 else set()
    row = {key: value for key, value in SOUND.items() if key not in dropped}
    return row | {key: draw(VALUES[key]) for key in messy}


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    row = draw(rows())
    style = draw(st.integers(0, 30))
    separators = (", ", ": ") if style == 1 else (",", ":")
    members = [
        f"{json.dumps(key)}{separators[1]}{_escaped(_raw_json(value), ascii_only=style != 2)}"
        for key, value in row.items()
    ]
    if style == 3:
        members.append(members[0] if members else "")
    text = "{" + separators[0].join(members) + "}"
    if style == 4:
        text = " " + text + "\r"
    if style == 5:
        text = draw(
            st.sampled_from(["", "  \t", "[]", "null", '"a"', "{", text + "}", "\x0b", "\x85", "\ufeff" + text])
        )
    if style == 6:
        position = draw(st.integers(0, len(text)))
        junk = draw(st.sampled_from(["\x00", '"', "\\", "\t", "\\ud800", "}", ",", "x"]))
        text = text[:position] + junk + text[position:]
    encoded = text.encode()
    return encoded.replace(b"block", b"bl\xffck") if style == 7 else encoded


def _escaped(text: str, *, ascii_only: bool) -> str:
    return text if ascii_only else json.dumps(json.loads(text), ensure_ascii=False) if _plain_numbers(text) else text


def _plain_numbers(text: str) -> bool:
    return text.startswith('"')


@given(
    some=st.lists(lines(), max_size=12),
    repeats=st.lists(st.integers(0, 11), max_size=4),
    end=st.sampled_from([b"", b"\n"]),
    naive_times=st.sampled_from(["utc", "refuse"]),
)
@_SETTINGS
def test_ndjson_becomes_what_the_rules_say(
    tmp_path: Path, some: list[bytes], repeats: list[int], end: bytes, naive_times: str
) -> None:
    chosen = [*some, *(some[at] for at in repeats if at < len(some))]
    data = b"\n".join(chosen) + end
    written = transformed(
        tmp_path / "slice",
        gzip.compress(data, mtime=0),
        format="ndjson.gz",
        naive_times=naive_times,
    )
    expected = reference.of_lines(data, naive_times=naive_times, **_KNOWN)
    _assert_same(written, expected, raw=True)


CONTENTS = st.one_of(
    st.sampled_from(
        [
            "",
            "403",
            "a,b",
            "}",
            "{",
            ":",
            "\\u0026",
            "\\/",
            "\\n",
            "\\ud83d\\ude00",
            "\\ud800",
            "\\u00",
            '\\"',
            "\\\\",
            "\\x",
            "é",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]), max_size=4),
)
DIGITS = st.sampled_from(["0", "403", "-0", "-1", "007", "1.5", "9223372036854775807", "9" * 19, "9" * 30, "", "true"])
INNER = st.sampled_from(
    [
        '{"a":1}',
        '{"a": -1, "b" :"x", "c": "y"}',
        '{"a":1.50,"b":{"c":[]}}',
        '{"a":"\\\\","b":"\\u0001"}',
        "{}",
        "[]",
        "[1]",
        "[1,]",
        '{"a":1',
        '{"a":"x"}}',
        '{"a":"1","a":"2"}',
        # Where a reduction to structures could lose its way: colons that end a string.
        '{"a:":"b"}',
        '["a:","b"]',
        '["a:",",\\"c\\":\\"d:","e"]',
        '{"a:5":6,"a:7":8}',
        '"a:""b"',
        '"a:"',
    ]
)
NEW_KEYS = st.sampled_from(["New", "New.1", "New:", "a:5", "a:6", "é", "Ne\\u0077", ""])


@given(
    head=st.sampled_from(["", '"Ref":null,', '"Datetime" : 1780308000 ,', '"Datetime":"2026-06-01T10:00:00Z",']),
    values=st.lists(st.tuples(CONTENTS, DIGITS, INNER, CONTENTS), max_size=20),
    new=NEW_KEYS,
    tail=st.sampled_from(["}", " }", "}\r", ',"Ref":"x"}', ',"ClientASN":7}', ',"N":null}', ',"a:5":1}']),
)
@_SETTINGS
def test_lines_much_alike_become_what_the_rules_say(
    tmp_path: Path, head: str, values: list[tuple[str, str, str, str]], new: str, tail: str
) -> None:
    written_lines = [
        f'{{{head}"Action":"{content}","EdgeResponseStatus":{digits},"Metadata":{inner},"{new}":"{other}","N":{digits}'
        + tail
        for content, digits, inner, other in [*values, ("block", "403", '{"a":1}', "y")]
    ]
    data = "\n".join(written_lines).encode()
    written = transformed(tmp_path / "slice", gzip.compress(data, mtime=0), format="ndjson.gz")
    _assert_same(written, reference.of_lines(data, naive_times="refuse", **_KNOWN), raw=True)


def _fits(value: Any, dtype: Any) -> bool:
    """Whether a parquet column of this type can say a drawn value."""
    match value:
        case None:
            return True
        case reference.Num() if dtype.is_float():
            return not value.integer and value.text != "1E400"
        case reference.Num():
            return dtype.is_integer() and value.integer and _LOWEST[dtype] <= int(value.text) <= _HIGHEST[dtype]
        case str():
            return dtype in {pl.String, pl.Binary} or isinstance(dtype, pl.Categorical)
        case list() if isinstance(dtype, pl.List):
            return all(_fits(item, dtype.inner) for item in value)
    return isinstance(value, bool) and dtype == pl.Boolean


_LOWEST = {pl.Int8(): -128, pl.Int64(): -(2**63), pl.UInt64(): 0}
_HIGHEST = {pl.Int8(): 127, pl.Int64(): 2**63 - 1, pl.UInt64(): 2**64 - 1}


def _stored(value: Any, dtype: Any) -> Any:
    match value:
        case reference.Num():
            return float(value.text) if dtype.is_float() else int(value.text)
        case list():
            return [_stored(item, dtype.inner) for item in value]
        case str() if dtype == pl.Binary:
            return value.encode()
    return value


def _meant(value: Any) -> Any:
    match value:
        case float():
            return reference.Num(repr(value))
        case bytes():
            return value.decode()
        case bool() | str() | None:
            return value
        case int():
            return reference.Num(str(value))
        case list():
            return [_meant(item) for item in value]
    raise TypeError(value)


DTYPES = [
    pl.String(),
    pl.Categorical(),
    pl.Binary(),
    pl.Int64(),
    pl.UInt64(),
    pl.Int8(),
    pl.Float64(),
    pl.Boolean(),
    pl.List(pl.String()),
    pl.List(pl.Int64()),
    pl.List(pl.Float64()),
]


@given(data=st.data(), naive_times=st.sampled_from(["utc", "refuse"]))
@_SETTINGS
def test_parquet_becomes_what_the_rules_say(tmp_path: Path, data: st.DataObject, naive_times: str) -> None:
    some = data.draw(st.lists(rows(), min_size=1, max_size=10))
    some += [some[at] for at in data.draw(st.lists(st.integers(0, len(some) - 1), max_size=3))]
    names = sorted({name for row in some for name in row})
    columns = {}
    for name in names:
        values = [row.get(name) for row in some]
        weights = [(sum(_fits(v, t) for v in values if v is not None), -n) for n, t in enumerate(DTYPES)]
        dtype = DTYPES[-max(weights)[1]] if data.draw(st.integers(0, 3)) else data.draw(st.sampled_from(DTYPES))
        stored = [_stored(v, dtype) if _fits(v, dtype) else None for v in values]
        columns[name] = pl.Series(name, stored, dtype=dtype)
    meant = [
        {name: _meant(value) for name, value in row.items()}
        for row in zip_rows({name: column.to_list() for name, column in columns.items()})
    ]
    written = of_frame(tmp_path / "slice", pl.DataFrame(columns), naive_times=naive_times)
    expected = reference.of_rows(meant, names, naive_times=naive_times, **_KNOWN)
    _assert_same(written, expected, raw=False)


def zip_rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _assert_same(written: Written, expected: reference.Expected, *, raw: bool) -> None:
    outcome = written.outcome
    assert outcome.object_defect is None
    assert [{**row, "row": None} for row in written.events] == [{**row, "row": None} for row in expected.events]
    names = ("reason", "field", "row", "raw") if raw else ("reason", "field", "row")
    assert [[row[n] for n in names] for row in written.quarantine] == [
        [r[n] for n in names] for r in expected.quarantine
    ]
    assert {tuple(row.values())[:-1]: row["events"] for row in written.hourly} == expected.hourly
    assert outcome.account.model_dump() == {
        "rows_in": expected.rows_in,
        "rows_out": len(expected.events),
        "quarantined": len(expected.quarantine),
        "duplicates": expected.duplicates,
    }
    assert outcome.source_rows == expected.rows_in
    assert outcome.blank_lines == expected.blank_lines
    assert outcome.columns_seen == sorted(expected.columns_seen)
    assert outcome.drift.columns == dict(expected.unknown_columns)
    assert outcome.drift.values == expected.unseen_values
    assert outcome.drift.time_forms == dict(expected.time_forms)


@pytest.mark.parametrize("copies", [1, 40])
def test_published_sample_becomes_what_the_rules_say(tmp_path: Path, copies: int) -> None:
    sample = Path(__file__).parents[4] / "shared/data/firewall-logs/firewall_events.ndjson"
    if not sample.exists():
        pytest.skip("the published sample is not beside the repository")
    events = [json.loads(line)["log"] for line in sample.read_text().splitlines()]
    data = b"".join(json.dumps(event).encode() + b"\n" for event in events) * copies
    written = transformed(tmp_path / "slice", gzip.compress(data, mtime=0), format="ndjson.gz", naive_times="utc")
    _assert_same(written, reference.of_lines(data, naive_times="utc", **_KNOWN), raw=True)
    assert written.outcome.account.rows_out + written.outcome.account.quarantined > 0
    assert written.outcome.account.duplicates == len(events) * (copies - 1)
