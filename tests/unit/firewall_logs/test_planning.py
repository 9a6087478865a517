from hypothesis import given
from hypothesis import strategies as st

from firewall_logs import planning
from firewall_logs.contracts import Slice
from firewall_logs.planning import SLICE_BYTES, SLICE_ROWS, Footer, RowGroup
from tests.support.firewall import OBJECT_ID, RUN_ID, a_feed, a_slice, a_source


def _footer(*groups: tuple[int, int]) -> Footer:
    made, offset = [], 4
    for rows, size in groups:
        made.append(RowGroup(rows, size, offset, offset + size // 4))
        offset += size // 4
    return Footer(tuple(made), offset)


def _cut(footer: Footer) -> list[Slice]:
    return planning.cut(a_feed(), a_source(size=footer.start + 100), OBJECT_ID, 1, footer=footer)


def test_small_object_is_one_slice_of_the_whole() -> None:
    [piece] = _cut(_footer((10, 100), (10, 100)))
    assert (piece.row_groups, piece.byte_ranges, piece.rows) == (None, None, 20)


def test_large_object_is_cut_at_row_groups() -> None:
    half = SLICE_ROWS // 2
    first, second = _cut(_footer((half, 400), (half, 400), (1, 40)))
    assert (first.row_groups, second.row_groups) == ((0, 2), (2, 3))
    assert (first.first_row, second.first_row) == (0, 2 * half)


def test_slices_name_the_bytes_of_their_row_groups_and_the_footer() -> None:
    _, second = _cut(_footer((SLICE_ROWS, 400), (SLICE_ROWS, 400)))
    # Magic; the second row group, which ends where the footer begins.
    assert second.byte_ranges == ((0, 4), (104, 304))


def test_row_group_above_the_limit_is_a_slice_of_its_own() -> None:
    pieces = _cut(_footer((1, 8), (5, SLICE_BYTES + 1), (1, 8)))
    assert [piece.row_groups for piece in pieces] == [(0, 1), (1, 2), (2, 3)]


def test_object_without_rows_is_one_slice() -> None:
    [piece] = _cut(Footer((), 4))
    assert piece.rows == 0


@given(st.lists(st.tuples(st.integers(0, SLICE_ROWS), st.integers(8, SLICE_BYTES)), max_size=40))
def test_slices_hold_every_row_group_once_and_in_order(groups: list[tuple[int, int]]) -> None:
    footer = _footer(*groups)
    pieces = _cut(footer)
    assert sum(piece.rows or 0 for piece in pieces) == footer.rows
    if len(pieces) > 1:
        ranges = [piece.row_groups for piece in pieces if piece.row_groups]
        assert [first for first, _ in ranges] == [0, *[after for _, after in ranges[:-1]]]
        assert ranges[-1][1] == len(groups)
        assert [piece.index for piece in pieces] == list(range(len(pieces)))


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300), st.integers(1, 40_000))
def test_packing_loses_no_slice_and_overfills_no_unit(sizes: list[int], unit_bytes: int) -> None:
    pieces = [a_slice(source=a_source(key=f"k{n}", size=size)) for n, size in enumerate(sizes)]
    units = planning.pack(RUN_ID, pieces, unit_bytes)
    assert [piece for unit in units for piece in unit.slices] == pieces
    assert [unit.unit for unit in units] == list(range(len(units)))
    for unit in units:
        weight = sum(planning.decoded_bytes(piece) for piece in unit.slices)
        assert weight <= unit_bytes or len(unit.slices) == 1


def test_line_of_the_plan_fits_the_input_of_an_execution() -> None:
    source = a_source(key="k" * 1024, size=0, version_id="v" * 1024)
    pieces = [a_slice(source=source, byte_ranges=((0, 4), (2**40, 2**41), (2**42, 2**43)))] * 500
    lines = [unit.model_dump_json(exclude_none=True) for unit in planning.pack(RUN_ID, pieces, 1 << 40)]
    assert max(map(len, lines)) <= 256 * 1024
