"""Portions of a file, in every way RDS was seen to cut and to go on: what a careful reader gets is the file."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.rds.model.markers import MarkerStyle
from local.rds.model.portions import MAX_BYTES, NOTICE, BinaryPolicy, CutMarker, transmissible
from local.rds.model.script import Effect, Rule, Script
from local.rds.model.world import World
from tests.support.rds import (
    SLOW,
    START,
    add_instance,
    calling,
    cut_lines,
    read_again,
    read_by_offsets,
    read_patiently,
    write,
)

MOST = 100
texts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="￾￿"), max_size=20),
    st.sampled_from([NOTICE.decode().strip(), "# Time: 2026", "\t", "é" * 15, "a\r"]),
)
knobs = st.fixed_dictionaries(
    {
        "cut_marker": st.sampled_from(CutMarker),
        "marker_style": st.sampled_from(MarkerStyle),
        "cut_back": st.integers(0, 9),
    }
)


@given(st.lists(texts, max_size=40), knobs, st.booleans())
@settings(deadline=None)
def test_careful_readers_get_the_file(lines: list[str], values: dict[str, Any], ended: bool) -> None:  # noqa: FBT001
    data = "\n".join(lines).encode() + b"\n" * ended
    world = World(START)
    instance = add_instance(world, portion_bytes=MOST, **values)
    write(instance, SLOW, data)
    download = calling(world, "orders-1", SLOW)
    assert read_by_offsets(download) == data
    assert read_again(download) == data


faults = st.builds(
    Rule,
    effect=st.sampled_from(
        [
            *(Effect.DUPLICATE_FRAGMENT, Effect.SKIP_LINES, Effect.PENDING_FALSE, Effect.PENDING_MISSING),
            *(Effect.MARKER_ECHO, Effect.MARKER_MISSING, Effect.MARKER_EMPTY, Effect.THROTTLE, Effect.UNAVAILABLE),
            *(Effect.INTERNAL_FAILURE, Effect.NOT_READY, Effect.FILE_NOT_FOUND, Effect.EXPIRED_TOKEN, Effect.RESET),
        ]
    ),
    times=st.none(),
    probability=st.floats(0.05, 0.4),
    amount=st.integers(1, 30),
)


@given(st.lists(texts, max_size=40), knobs, st.lists(faults, max_size=4), st.integers(0, 99))
@settings(deadline=None)
def test_no_fault_of_the_answers_keeps_a_patient_reader_from_the_file(
    lines: list[str], values: dict[str, Any], rules: list[Rule], seed: int
) -> None:
    data = "\n".join(lines).encode()
    world = World(START, script=Script(tuple(rules), seed))
    write(add_instance(world, portion_bytes=MOST, **values), SLOW, data)
    assert read_patiently(calling(world, "orders-1", SLOW), len(data)) == data


@given(st.lists(texts, min_size=1, max_size=20), st.integers(1, 30), st.integers(1, 60), st.booleans())
@settings(max_examples=50, deadline=None)
def test_file_written_and_renamed_while_it_is_read_is_read_by_its_names(
    lines: list[str],
    step: int,
    minutes: int,
    with_restart: bool,  # noqa: FBT001
) -> None:
    world = World(START)
    instance = add_instance(world, portion_bytes=MOST, binary=BinaryPolicy.RAW)  # a rename may cut a character here
    data = "\n".join(lines).encode()
    for start in range(0, len(data), step):
        write(instance, SLOW, data[start : start + step])
        world.advance(timedelta(minutes=minutes))
    if with_restart:
        instance.restart(world.now())  # after 3 KB, which is more than there is
    names = sorted(name for name in instance.log_named(SLOW).files if name != SLOW)
    by_hour = sorted(names, key=lambda name: instance.log_named(SLOW).files[name].number)
    read = b"".join(read_by_offsets(calling(world, "orders-1", name)) for name in (*by_hour, SLOW))
    purged = sorted(instance.log_named(SLOW).purged, key=lambda gone: gone.generation.number)
    gone = b"".join(each.generation.read(0, len(data), world.now()) for each in purged)
    live = sum(loss.runs[0][1] - loss.runs[0][0] for loss in instance.log_named(SLOW).live.losses)
    assert gone + read == data[: len(data) - live]


def test_line_longer_than_a_portion_is_cut_and_its_rest_is_skipped_by_the_marker() -> None:
    world = World(START)
    write(add_instance(world), SLOW, b"a\n" + b"x" * (MAX_BYTES + 1) + b"\nb\n")
    download = calling(world, "orders-1", SLOW)
    first = download(Marker="0")
    assert first["LogFileData"] == b"a\n" + b"x" * (MAX_BYTES - 2) + NOTICE
    assert cut_lines(first["LogFileData"]) == b"a\n"
    assert first["Marker"] == f"7:{MAX_BYTES + 4}"
    assert first["AdditionalDataPending"]
    assert download(Marker=first["Marker"])["LogFileData"] == b"b\n"


def test_portion_that_ends_where_a_line_does_is_not_cut() -> None:
    world = World(START)
    write(add_instance(world, portion_bytes=4), SLOW, b"abc\ndef\n")
    answer = calling(world, "orders-1", SLOW)(Marker="0")
    assert answer == {"LogFileData": b"abc\n", "Marker": "7:4", "AdditionalDataPending": True}


def test_character_cut_in_two_is_no_binary_data() -> None:
    data = "é".encode() * 2
    assert transmissible(data[:3], BinaryPolicy.REFUSE) == "é�".encode()


def test_bytes_without_place_in_xml_are_replaced_one_by_one() -> None:
    assert transmissible(b"a\x00\x1a\xff\tb\r\n", BinaryPolicy.REPLACE) == "a���\tb\r\n".encode()


def test_raw_bytes_stay() -> None:
    assert transmissible(b"\x01\xff", BinaryPolicy.RAW) == b"\x01\xff"
