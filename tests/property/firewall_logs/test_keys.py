import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firewall_logs.keys import Part, Ranking, pack, unpack


@given(st.data())
def test_packed_words_keep_every_part_and_their_order(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([1, 2, 7, 1000, 2**37, 2**40, 2**63]), min_size=1, max_size=6))
    rows = data.draw(st.lists(st.tuples(*(st.integers(0, size - 1) for size in sizes)), min_size=1, max_size=20))
    parts = [
        Part(pl.Series(column, dtype=pl.UInt64), size)
        for column, size in zip(zip(*rows, strict=True), sizes, strict=True)
    ]
    words, word_sizes = pack(parts)
    assert [part.to_list() for part in unpack(words, word_sizes)] == [part.values.to_list() for part in parts]
    ordered = words.with_columns(row=pl.int_range(len(rows))).sort(words.columns, maintain_order=True)["row"]
    assert [rows[row] for row in ordered.to_list()] == sorted(rows)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("before", [[], [1], [3], [1, 2]])
def test_parts_as_large_as_a_word_are_packed(bits: int, more: int, before: list[int]) -> None:
    sizes = [*before, 2 ** (bits // 2), 2 ** (bits // 2) + more]
    parts = [Part(pl.Series([0, size - 1, size // 2], dtype=pl.UInt64), size) for size in sizes]
    assert [part.to_list() for part in unpack(*pack(parts))] == [part.values.to_list() for part in parts]


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=20), st.booleans())
def test_ranks_order_texts_as_their_bytes_do_with_nulls_first(texts: list[str | None], as_codes: bool) -> None:  # noqa: FBT001  # drawn
    column = pl.Series("t", texts, dtype=pl.String)
    frame = pl.DataFrame([column.cast(pl.Categorical(pl.Categories("ranks of a test"))) if as_codes else column])
    ranking = Ranking.of(frame, "t")
    ranks = ranking.part.times(1, pl.UInt32())
    assert ranking.texts.gather(ranks).to_list() == texts
    known = sorted({text for text in texts if text is not None}, key=str.encode)
    assert ranks.rank("dense").to_list() == [
        (1 if text is None else known.index(text) + 1 + (None in texts)) for text in texts
    ]


# A span of 2^63 is no int64 any more; instants and ranks are far from it.
@given(st.lists(st.integers(-(2**62) + 1, 2**62 - 1), max_size=5))
def test_part_spans_integers_from_the_smallest(integers: list[int]) -> None:
    part, first = Part.spanning(pl.Series(integers, dtype=pl.Int64))
    assert [value + first for value in part.values.to_list()] == integers
    assert part.size == (max(integers) - min(integers) + 1 if integers else 1)
