"""Whatever happens to an instance, no byte of its logs is in two files, and none goes without a word."""

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.endpoints import ACCOUNT, REGION
from local.rds.model.estates import Estate
from local.rds.model.sources import MemorySource
from local.rds.model.truth import truths
from local.rds.model.world import World
from local.rds.server import RdsServer
from tests.support.rds import KINDS, SLOW, START, add_instance, calling, rds_client, read_again, write

events = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 600_000)),
    st.tuples(st.just("minutes"), st.integers(1, 200)),
    st.tuples(st.sampled_from(["reboot", "pause", "resume", "rotate", "recreate"]), st.just(0)),
    st.tuples(st.just("purge"), st.integers(0, 9)),
)


@pytest.mark.parametrize("engine", sorted(KINDS))
@given(happened=st.lists(events, max_size=25), unflushed=st.integers(0, 5000))
@settings(deadline=None, max_examples=30)
def test_sizes_and_losses_add_up_to_what_was_written(
    engine: str, happened: list[tuple[str, int]], unflushed: int
) -> None:
    world = World(START)
    add_instance(world, engine=engine, unflushed=unflushed)
    estate = world.estate(ACCOUNT, REGION)
    written = 0
    for what, amount in happened:
        written += _happen(world, estate, what, amount)
    files = list(truths(estate, world.now()))
    assert sum(file.size for file in files) + sum(lost.size for file in files for lost in file.lost) == written
    assert len({(file.dbi_resource_id, file.generation) for file in files}) == len(files)


def _happen(world: World, estate: Estate, what: str, amount: int) -> int:
    """Let something happen, and return how many bytes it wrote."""
    instance, now = estate.instance("orders-1"), world.now()
    sources = {id(log.source): log.source for log in instance.logs}
    if what == "write":
        line = b"%06d bytes are in this line and some that follow\n" % amount
        for source in sources.values():
            assert isinstance(source, MemorySource)
            source.write(line * (amount // len(line) + 1))
        return (amount // len(line) + 1) * len(line) * len(sources)
    if what == "minutes":
        world.advance(timedelta(minutes=amount))
    elif what in {"pause", "resume"}:
        estate.pause("orders-1", now, paused=what == "pause")
    elif what == "rotate":
        for log in instance.logs:
            log.rotate(now)
    elif what == "purge":
        closed = [(log, name) for log in instance.logs for name, file in log.files.items() if file.closed]
        if closed:
            log, name = closed[amount % len(closed)]
            log.purge(name, now)
    else:
        getattr(estate, what)("orders-1", now)
    return 0


def test_readers_and_the_clock_do_not_disturb_each_other(rds_api: RdsServer, tmp_path: Path) -> None:
    instance = add_instance(rds_api.world)
    rds = rds_client(rds_api)
    problems: list[object] = []

    def read() -> None:
        for _ in range(15):
            answer = rds.download_db_log_file_portion(DBInstanceIdentifier="orders-1", LogFileName=SLOW, Marker="0")
            if answer["LogFileData"] and not answer["LogFileData"].endswith("\n"):
                problems.append(answer)

    readers = [Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(60):
        write(instance, SLOW, b"line %d\n" % number)
        rds_api.control.advance(600)
    for reader in readers:
        reader.join()
    assert problems == []
    files = [file for file in rds_api.control.truth(str(tmp_path)) if file.names[0].startswith(SLOW)]
    data = b"".join(Path(file.path or "").read_bytes() for file in files)
    assert data == b"".join(b"line %d\n" % number for number in range(60))


RECORDED = Path(__file__).parents[5] / "shared/data/rds-logs/go-mysql/test/slow-logs"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded logs are not here")
@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.log")), ids=lambda path: path.name)
def test_recorded_log_is_served_as_it_is(path: Path) -> None:
    world = World(START)
    write(add_instance(world, portion_bytes=100_000, binary="raw"), SLOW, path.read_bytes())
    assert read_again(calling(world, "orders-1", SLOW)) == path.read_bytes()
