"""Cuts are ranges of a day that leave nothing out, whatever its hours look like."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.cutting import CUT_ROWS, Cell, cuts

HOSTS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "b", "é", "\uffff", "😀"]), st.text(max_size=3))
HISTOGRAMS = st.dictionaries(st.tuples(HOSTS, st.integers(0, 23)), st.integers(0, 50), max_size=40)
LIMITS = st.integers(1, 200)


def _key(cell: Cell) -> tuple[bool, bytes, int]:
    host, hour = cell
    return host is not None, (host or "").encode(), hour


def _cells(cut: Cut, histogram: dict[Cell, int]) -> list[Cell]:
    """Return the cells with rows that lie in a cut."""

    def place(given: Place) -> tuple[bool, bytes, int]:
        return _key((given.host, given.hour))

    return [
        cell
        for cell, rows in histogram.items()
        if rows
        if cut.start is None or place(cut.start) <= _key(cell)
        if cut.end is None or _key(cell) < place(cut.end)
    ]


@given(HISTOGRAMS, LIMITS)
def test_every_cell_is_in_just_one_cut_which_counts_its_rows(histogram: dict[Cell, int], limit: int) -> None:
    made = cuts(histogram, limit)
    inside = [_cells(cut, histogram) for cut in made]
    assert sorted((cell for cells in inside for cell in cells), key=_key) == sorted(
        (cell for cell, rows in histogram.items() if rows), key=_key
    )
    assert [cut.rows for cut in made] == [sum(histogram[cell] for cell in cells) for cells in inside]


@given(HISTOGRAMS, LIMITS)
def test_cuts_follow_each_other_from_the_beginning_to_the_end(histogram: dict[Cell, int], limit: int) -> None:
    made = cuts(histogram, limit)
    assert bool(made) == any(histogram.values())
    assert all(one.end is not None and one.end == next_.start for one, next_ in pairwise(made))
    if made:
        assert (made[0].start, made[-1].end) == (None, None)


@given(HISTOGRAMS, LIMITS)
def test_cut_above_the_limit_is_one_cell_and_none_could_take_the_next_cell(
    histogram: dict[Cell, int], limit: int
) -> None:
    made = cuts(histogram, limit)
    for cut in made:
        assert cut.rows <= limit or len(_cells(cut, histogram)) == 1
    for one, after in pairwise(made):
        next_cell = min(_cells(after, histogram), key=_key)
        assert one.rows + histogram[next_cell] > limit


@given(st.lists(st.tuples(st.tuples(HOSTS, st.integers(0, 23)), st.integers(1, 50)), unique_by=lambda item: item[0]))
def test_order_of_the_counts_does_not_matter(items: list[tuple[Cell, int]]) -> None:
    assert cuts(dict(items), 60) == cuts(dict(reversed(items)), 60)


def test_day_that_fits_is_one_cut() -> None:
    assert cuts({("a", 1): CUT_ROWS - 1, (None, 2): 1}) == [Cut(start=None, end=None, rows=CUT_ROWS)]
