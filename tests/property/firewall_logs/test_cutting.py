"""Cuts are ranges of a day that leave nothing out, whatever its hours look like."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.cutting import MOST, NOTHING, Moment, WeighedCut, Weight, cuts, too_heavy

HOSTS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "b", "é", "\uffff", "😀"]), st.text(max_size=3))
WEIGHTS = st.builds(Weight, rows=st.integers(0, 50), bytes=st.integers(0, 500))
MOMENTS = st.tuples(HOSTS, st.integers(0, 23), st.sampled_from([0, 0, 1, 1800, 3599]))
DAYS = st.dictionaries(MOMENTS, WEIGHTS, max_size=40)
LIMITS = st.builds(Weight, rows=st.integers(1, 200), bytes=st.integers(1, 2000))

Day = dict[Moment, Weight]


def _key(moment: Moment) -> tuple[bool, bytes, int, int]:
    host, hour, second = moment
    return host is not None, (host or "").encode(), hour, second


def _inside(cut: Cut, day: Day) -> list[Moment]:
    """Return the moments with rows that lie in a cut."""

    def place(given: Place) -> tuple[bool, bytes, int, int]:
        return _key((given.host, given.hour, given.second))

    return [
        moment
        for moment, weight in day.items()
        if weight.rows
        if cut.start is None or place(cut.start) <= _key(moment)
        if cut.end is None or _key(moment) < place(cut.end)
    ]


def _sum(day: Day, moments: list[Moment]) -> Weight:
    return sum((day[moment] for moment in moments), NOTHING)


@given(DAYS, LIMITS)
def test_every_moment_is_in_just_one_cut_which_counts_its_rows(day: Day, limit: Weight) -> None:
    made = cuts(day, limit)
    inside = [_inside(found.cut, day) for found in made]
    assert sorted((moment for moments in inside for moment in moments), key=_key) == sorted(
        (moment for moment, weight in day.items() if weight.rows), key=_key
    )
    assert [found.weight for found in made] == [_sum(day, moments) for moments in inside]
    assert [found.cut.rows for found in made] == [found.weight.rows for found in made]


@given(DAYS, LIMITS)
def test_cuts_follow_each_other_from_the_beginning_to_the_end(day: Day, limit: Weight) -> None:
    made = [found.cut for found in cuts(day, limit)]
    assert bool(made) == any(weight.rows for weight in day.values())
    assert all(one.end is not None and one.end == next_.start for one, next_ in pairwise(made))
    if made:
        assert (made[0].start, made[-1].end) == (None, None)


@given(DAYS, LIMITS)
def test_cut_above_the_limit_is_one_moment_and_none_could_take_the_next(day: Day, limit: Weight) -> None:
    made = cuts(day, limit)
    for found in made:
        assert not found.weight.exceeds(limit) or len(_inside(found.cut, day)) == 1
    for one, after in pairwise(made):
        next_moment = min(_inside(after.cut, day), key=_key)
        assert (one.weight + day[next_moment]).exceeds(limit)


@given(DAYS, LIMITS)
def test_hours_that_are_too_heavy_are_those_above_the_limit(day: Day, limit: Weight) -> None:
    assert too_heavy(day, limit) == {
        (host, hour)
        for (host, hour, _), weight in day.items()
        if weight.rows > limit.rows or weight.bytes > limit.bytes
    }


@given(st.lists(st.tuples(MOMENTS, WEIGHTS), unique_by=lambda item: item[0]))
def test_order_of_the_counts_does_not_matter(items: list[tuple[Moment, Weight]]) -> None:
    limit = Weight(rows=60, bytes=600)
    assert cuts(dict(items), limit) == cuts(dict(reversed(items)), limit)


def test_day_that_fits_is_one_cut() -> None:
    day = {("a", 1, 0): Weight(MOST.rows - 1, MOST.bytes - 9), (None, 2, 0): Weight(1, 9)}
    assert cuts(day, MOST) == [WeighedCut(Cut(start=None, end=None, rows=MOST.rows), MOST)]


def test_wide_rows_are_cut_by_their_bytes() -> None:
    day: Day = {("a", hour, 0): Weight(1000, MOST.bytes // 4) for hour in range(8)}
    assert [found.cut.rows for found in cuts(day, MOST)] == [4000, 4000]
