"""Whatever a PostgreSQL log holds and wherever it is cut, its records are the same and keep every byte."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from database_logs.boundaries import postgres, postgres_csv
from database_logs.log_types import LogType
from database_logs.parsing.columns import COMMON
from tests.support.effort import examples
from tests.support.postgres_logs import bytes_of, line, parsed, parsed_in_pieces

_settings = settings(max_examples=examples(40), deadline=None)
_TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=40),
    st.sampled_from(
        [
            *(
                "duration: 0.5 ms  statement: SELECT 'a''b'\nFROM \"t\"",
                "duration: 1.0 ms  plan:\n{",
                "22012: division",
            ),
            *("duration: 2.0 ms  execute S_1: SELECT $1", 'AUDIT: SESSION,1,1,READ,SELECT,,,"a\n""b""",<none>'),
            *("AUDIT: SESSION,1", "parameters: $1 = 'x'", "a:[1]:LOG:  b", "no at character 5", ',"', '"x" is a view'),
        ]
    ),
)
_NAMES = st.sampled_from(["app@shop", "@", "[unknown]@[unknown]", "a@b@c", "x:[9]:y@z", "ü@ß"])
_REMOTES = st.sampled_from(["10.0.0.1(5432)", "[local]", "", "2001:db8::1(1)", "::1(5)"])
_MESSAGES = st.sampled_from(["LOG", "ERROR", "DEBUG1", "FATAL"])
_ATTACHED = st.lists(st.tuples(st.sampled_from(["DETAIL", "HINT", "STATEMENT", "CONTEXT"]), _TEXTS), max_size=3)
_STRAYS = st.sampled_from(
    [b"", b"stray\n", b"\ttabbed\n", b"\xff\xfe LOG:  x\n", b"\n", b"2026-01-01 10:00:00 UTC:\r\n"]
)


@st.composite
def _record(draw: st.DrawFn) -> bytes:
    process, who = draw(st.integers(1, 3)), f"{draw(_REMOTES)}:{draw(_NAMES)}"
    labelled = [(draw(_MESSAGES), draw(_TEXTS)), *draw(_ATTACHED)]
    text = "".join(line(label, text, process, who) for label, text in labelled)
    return text.encode() + draw(_STRAYS)


@st.composite
def _interleaved(draw: st.DrawFn) -> bytes:
    label = draw(st.sampled_from(["LOG", "ERROR", "DETAIL", "STATEMENT"]))
    return line(label, draw(_TEXTS), draw(st.integers(1, 3))).encode() + draw(_STRAYS)


@st.composite
def _csv(draw: st.DrawFn, message: st.SearchStrategy[str] = _TEXTS) -> bytes:
    quoted = draw(message).replace('"', '""')
    who = draw(st.sampled_from(['"app","shop",42,"10.0.0.1:5432"', ",,42,", '"a""b","c,d",42,"[local]"']))
    head = f"2026-01-01 10:00:00.123 UTC,{who},69.2a,3,,2026-01-01 09:59:59 UTC,4/12,0,LOG,00000,"
    row = f'{head}"{quoted}"' + "," * draw(st.sampled_from([9, 10, 12])) + "\n"
    return draw(st.sampled_from([row, row, row, row[:-9] + "\n"])).encode()


def _nested() -> st.SearchStrategy[bytes]:
    return _csv(_csv().map(bytes.decode))


@st.composite
def _pieces(draw: st.DrawFn, records: st.SearchStrategy[bytes]) -> list[bytes]:
    data = b"".join(draw(st.lists(records, min_size=1, max_size=8)))
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=4)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@_settings
@given(_pieces(_record()))
def test_stderr_in_pieces_is_stderr_at_once(pieces: list[bytes]) -> None:
    whole = parsed(b"".join(pieces))
    assert bytes_of(whole) == b"".join(pieces)
    assert parsed_in_pieces(pieces, postgres.cut).equals(whole)


@_settings
@given(_pieces(_interleaved()))
@example([line("ERROR", "a", 1).encode(), line("LOG", "b", 2).encode(), line("DETAIL", "c", 1).encode() * 2])
def test_interleaved_stderr_in_pieces_has_the_same_rows(pieces: list[bytes]) -> None:
    # what a message is given of lines in later segments is all that differs
    names = [name for name in COMMON.names() if name != "parse_reason"]
    whole = parsed(b"".join(pieces))
    assert bytes_of(whole) == b"".join(pieces)
    assert parsed_in_pieces(pieces, postgres.cut).select(names).equals(whole.select(names))


@_settings
@given(_pieces(st.one_of(_csv(), _nested())))
def test_csv_in_pieces_is_csv_at_once(pieces: list[bytes]) -> None:
    whole = parsed(b"".join(pieces), LogType.POSTGRES_CSV)
    assert bytes_of(whole) == b"".join(pieces)
    assert parsed_in_pieces(pieces, postgres_csv.cut, LogType.POSTGRES_CSV).equals(whole)


@_settings
@given(st.lists(_csv(), max_size=5))
def test_csv_records_are_told_apart(records: list[bytes]) -> None:
    assert parsed(b"".join(records), LogType.POSTGRES_CSV)["raw"].str.encode("hex").len() == len(records)


@pytest.mark.parametrize("log_type", [LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON])
@settings(max_examples=examples(40), deadline=None)
@given(
    data=st.lists(
        st.one_of(st.binary(max_size=40), _record(), _csv(), st.sampled_from([b"\n", b'{"timestamp": "x"}\n']))
    )
)
def test_any_bytes_are_kept(log_type: LogType, data: list[bytes]) -> None:
    joined = b"".join(data)
    assert bytes_of(parsed(joined, log_type)) == joined


@pytest.mark.parametrize("magic", ["1f8b", "7801", "789c", "78da", "28b52ffd"])
def test_line_that_begins_like_a_compressed_file_is_kept(magic: str) -> None:
    data = bytes.fromhex(magic) + b" is no archive\nnor is this\n"
    assert bytes_of(parsed(data, LogType.POSTGRES_STDERR)) == data


@pytest.mark.parametrize("cut", [postgres.cut, postgres_csv.cut])
@settings(max_examples=examples(40), deadline=None)
@given(data=st.lists(st.one_of(st.binary(max_size=40), _record(), _csv())))
def test_cut_never_takes_the_last_record(cut: Callable[[bytes], int], data: list[bytes]) -> None:
    joined = b"".join(data)
    complete = cut(joined)
    assert 0 <= complete < max(len(joined), 1)
    assert cut(joined[complete:]) == 0
