import json
from datetime import UTC, datetime, timedelta

import pytest

from database_logs.discovery.files import Found, Known, Listed, compare
from database_logs.discovery.fleet import parse_fleet
from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn, after_failure, after_pause, next_turn, shard_of
from database_logs.errors import FleetInvalid

NOW = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)
ESTATE = {"account": "123456789012", "region": "eu-central-1"}
MINUTE = timedelta(minutes=1)


def _fleet(**changes: object) -> str:
    return json.dumps({"estates": [ESTATE], **changes})


def _instance(name: str = "orders-1", engine: str = "mysql", **tags: str) -> Instance:
    return Instance(dbi_resource_id="db-1", instance_id=name, engine=engine, status="available", tags=tags)


@pytest.mark.parametrize(
    ("filters", "taken"),
    [
        ({}, True),
        ({"engines": ["mysql"]}, True),
        ({"engines": ["postgres"]}, False),
        ({"tags": {"team": "orders"}}, True),
        ({"tags": {"team": "sales"}}, False),
        ({"include": "orders-.*"}, True),
        ({"include": "orders"}, False),
        ({"exclude": ".*-1"}, False),
    ],
)
def test_instances_are_chosen_by_engine_tags_and_name(filters: dict[str, object], taken: bool) -> None:  # noqa: FBT001
    assert parse_fleet(_fleet(**filters)).has(_instance(team="orders")) is taken


@pytest.mark.parametrize("engine", ["neptune", "docdb", "custom-oracle-ee"])
def test_engines_of_other_services_are_left_out(engine: str) -> None:
    assert not parse_fleet(_fleet()).has(_instance(engine=engine))


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("{", "document"),
        ("{}", "estates"),
        (_fleet(include="("), "regular"),
        (_fleet(rate=0), "rate"),
        (_fleet(estates=[ESTATE | {"external_id": "x"}]), r"external_id.*2 to 1,224"),
        (_fleet(estates=[ESTATE | {"external_id": "two words"}]), r"external_id.*letters"),
        (_fleet(estates=[ESTATE | {"role_arn": "arn:aws:iam::123456789012:role/logs"}]), "external_id"),
        (_fleet(estates=[ESTATE | {"external_id": "gatehouse"}]), "role_arn"),
    ],
)
def test_wrong_fleet_is_refused_with_the_field(document: str, word: str) -> None:
    with pytest.raises(FleetInvalid, match=word):
        parse_fleet(document)


@pytest.mark.parametrize("external_id", ["ab", "A-z0_9+=,.@:/-"])
def test_external_id_is_what_sts_takes(external_id: str) -> None:
    role = {"role_arn": "arn:aws:iam::123456789012:role/logs", "external_id": external_id}
    fleet = parse_fleet(_fleet(estates=[ESTATE | role]))
    assert fleet.estates[0].external_id == external_id


def test_idle_instance_is_looked_at_half_as_often_each_time_until_a_limit() -> None:
    turn, intervals = None, []
    for _ in range(4):
        turn = next_turn(turn, NOW, 5 * MINUTE, 15 * MINUTE, moved=False)
        intervals.append(turn.interval / MINUTE)
    assert intervals == [5, 10, 15, 15]
    assert next_turn(turn, NOW, 5 * MINUTE, 15 * MINUTE, moved=True).interval == 5 * MINUTE


def test_instance_that_sleeps_is_asked_every_half_hour_at_last() -> None:
    turn = None
    for _ in range(6):
        turn = after_pause(turn, NOW, 5 * MINUTE)
    assert turn == Turn(30 * MINUTE, NOW + 30 * MINUTE, asleep=NOW)


def test_instance_that_errs_is_asked_half_as_often_each_time_until_a_limit() -> None:
    before = Turn(5 * MINUTE, NOW, seen=NOW - MINUTE, asleep=NOW)
    turn, intervals = before, []
    for _ in range(3):
        turn = after_failure(turn, NOW, 5 * MINUTE, 15 * MINUTE)
        intervals.append(turn.interval / MINUTE)
    assert intervals == [10, 15, 15]
    assert turn == Turn(15 * MINUTE, NOW + 15 * MINUTE, before.seen, before.asleep)
    assert after_failure(None, NOW, 5 * MINUTE, 15 * MINUTE) == Turn(10 * MINUTE, NOW + 10 * MINUTE)


def test_every_instance_has_one_shard_and_few_move_when_one_is_added() -> None:
    resources = [f"db-{number}" for number in range(316)]
    four = [shard_of(resource, 4) for resource in resources]
    five = [shard_of(resource, 5) for resource in resources]
    assert set(four) == set(range(4))
    assert all(new in {old, 4} for old, new in zip(four, five, strict=True))
    assert min(four.count(shard) for shard in range(4)) > 50


SLOW = "slowquery/mysql-slowquery.log"
PG = "error/postgresql.log.2026-11-21-"


def _listed(file: str, size: int = 100, written: datetime = NOW) -> Listed:
    return Listed(file, size, written)


def _known(listed: Listed, identity: str | None, *, settled: bool = True, final: bool = False) -> dict[str, Known]:
    return {listed.file: Known(listed.file, listed.size, listed.last_written, identity, settled=settled, final=final)}


def _moved(found: Found) -> list[tuple[str, bool, bool]]:
    return [(one.listed.file, one.closed, one.gone) for one in found.moved]


def test_file_is_queued_when_its_size_or_time_moved_and_not_otherwise() -> None:
    before = _listed(SLOW)
    known = _known(before, f"{SLOW}@2026-11-21.9")
    assert _moved(compare([before], known, "mysql", NOW)) == []
    assert _moved(compare([_listed(SLOW, 101)], known, "mysql", NOW)) == [(SLOW, False, False)]
    assert _moved(compare([_listed(SLOW, 100, NOW + MINUTE)], known, "mysql", NOW)) == [(SLOW, False, False)]
    unsettled = _known(before, f"{SLOW}@2026-11-21.9", settled=False)
    assert _moved(compare([before], unsettled, "mysql", NOW)) == [(SLOW, False, False)]


def test_postgres_file_is_closed_once_a_newer_one_is_listed_and_it_rests() -> None:
    old, new = _listed(f"{PG}07", written=NOW - 40 * MINUTE), _listed(f"{PG}08")
    known = _known(old, old.file) | _known(new, new.file)
    assert _moved(compare([old], _known(old, old.file), "postgres", NOW)) == []
    assert _moved(compare([old, new], known, "postgres", NOW)) == [(old.file, True, False)]
    fresh = _listed(f"{PG}07", written=NOW - MINUTE)
    both = _known(fresh, fresh.file) | _known(new, new.file)
    assert _moved(compare([fresh, new], both, "postgres", NOW)) == []


def test_finished_file_is_not_queued_under_the_name_it_gets_when_compressed() -> None:
    plain = _listed(f"{PG}07", written=NOW - 90 * MINUTE)
    packed = _listed(f"{PG}07.gz", 10, NOW)
    found = compare([packed], _known(plain, plain.file, final=True), "postgres", NOW)
    assert found.moved == []
    assert found.forgotten == [plain.file]


def test_file_that_vanished_unfinished_is_queued_to_be_declared_lost() -> None:
    old = _listed(f"{PG}07", written=NOW - 90 * MINUTE)
    found = compare([], _known(old, old.file), "postgres", NOW)
    assert _moved(found) == [(old.file, False, True)]
    assert found.moved[0].identity == old.file
    assert found.forgotten == []


def test_hour_whose_name_is_another_file_now_is_queued_to_be_declared_lost() -> None:
    old = _listed(SLOW, written=NOW - timedelta(hours=26))
    new = _listed(SLOW, 7)
    found = compare([new], _known(old, f"{SLOW}@2026-11-20.7"), "mysql", NOW)
    assert [(one.identity, one.gone) for one in found.moved] == [
        (f"{SLOW}@2026-11-20.7", True),
        (f"{SLOW}@2026-11-21.9", False),
    ]
    renamed = _listed(f"{SLOW}.2026-11-20.7", written=old.last_written)
    assert all(not one.gone for one in compare([new, renamed], _known(old, f"{SLOW}@2026-11-20.7"), "mysql", NOW).moved)


def test_what_is_purged_first_is_first() -> None:
    files = [_listed(SLOW), _listed(f"{SLOW}.2026-11-21.8", written=NOW - 60 * MINUTE)]
    assert [one.listed.file for one in compare(files, {}, "mysql", NOW).moved] == [f"{SLOW}.2026-11-21.8", SLOW]


def test_files_that_are_no_logs_are_counted_by_reason() -> None:
    files = [_listed("external/mysql-external.log"), _listed("x"), _listed("y"), _listed(SLOW, 0)]
    found = compare(files, {}, "mysql", NOW)
    assert found.ignored == {"external": 1, "unknown": 2}
    assert found.moved == []


def test_errors_are_collected_from_the_running_log_where_there_is_one() -> None:
    fresh, running = _listed("error/mysql-error.log"), _listed("error/mysql-error-running.log")
    assert [one.listed for one in compare([fresh, running], {}, "mysql", NOW).moved] == [running]


def test_errors_are_collected_from_the_other_log_only_if_there_is_no_running_one_for_ten_minutes() -> None:
    fresh = _listed("error/mysql-error.log")
    found = compare([fresh], {}, "mysql", NOW)
    assert (found.moved, [one.file for one in found.waiting]) == ([], [fresh.file])
    waiting = {fresh.file: found.waiting[0]}
    grown = _listed(fresh.file, 150, NOW + 9 * MINUTE)
    again = compare([grown], waiting, "mysql", NOW + 9 * MINUTE)
    assert (again.moved, again.waiting) == ([], [])
    assert [one.listed for one in compare([grown], waiting, "mysql", NOW + 10 * MINUTE).moved] == [grown]
    running = _listed("error/mysql-error-running.log")
    emptied = _listed(fresh.file, 0, NOW + 9 * MINUTE)
    found = compare([emptied, running], waiting, "mysql", NOW + 10 * MINUTE)
    assert [one.listed for one in found.moved] == [running]


def test_errors_that_were_collected_and_appended_to_the_running_log_are_not_missed() -> None:
    fresh, running = _listed("error/mysql-error.log"), _listed("error/mysql-error-running.log")
    found = compare([running], _known(fresh, f"{fresh.file}@abc"), "mysql", NOW)
    assert [one.listed for one in found.moved] == [running]
    assert found.forgotten == [fresh.file]


AUDIT = "audit/server_audit.log"
FULL = 1_000_000


def _audit(*ages: int, size: int = FULL, live: int = FULL) -> list[Listed]:
    """Return the file that is written to and those with numbers, by minutes since the last write."""
    sizes = [live, *[size] * len(ages)]
    return [
        _listed(f"{AUDIT}.{number}" if number else AUDIT, sizes[number], NOW - age * MINUTE)
        for number, age in enumerate(ages)
    ]


def _overtaken(before: list[Listed], after: list[Listed], read: tuple[int, ...] = ()) -> list[str]:
    known: dict[str, Known] = {}
    for number, one in enumerate(before):
        known |= _known(one, f"{AUDIT}@{number}" if number in read else None, settled=number in read)
    found = compare(after, known, "mysql", NOW)
    assert all(one.identity is not None and "@unread-" in one.identity for one in found.moved if one.gone)
    return [one.listed.file for one in found.moved if one.gone]


def test_numbered_file_that_nobody_read_is_lost_if_none_of_equal_size_was_written_last_when_it_was() -> None:
    before = _audit(30, 31, 32, 33)
    # Two rotations: what had no number is 2 now, 1 is 3, and 2 and 3 are gone.
    after = _audit(0, 10, 30, 31)
    assert _overtaken(before, after) == [f"{AUDIT}.3", f"{AUDIT}.2"]
    assert _overtaken(before, after, read=(2, 3)) == []
    # Four rotations: all are gone, although each number has a file as long that was written to later.
    assert set(_overtaken(before, _audit(0, 5, 10, 15), read=(0,))) == {f"{AUDIT}.{number}" for number in (1, 2, 3)}


def test_file_without_number_that_nobody_read_is_lost_if_too_many_came_after_it() -> None:
    before = _audit(30, 31, 32, 33, live=500)
    assert _overtaken(before, _audit(0, 29, 31, 32), read=(1, 2, 3)) == []
    assert _overtaken(before, _audit(0, 31, 32, 33, live=700), read=(1, 2, 3)) == []
    # All that had a number is gone. What is oldest is shorter than it was.
    assert _overtaken(before, _audit(0, 10, 20, 29, size=400), read=(1, 2, 3)) == [AUDIT]


def test_only_file_of_a_numbered_log_is_itself_however_a_restart_shortened_it() -> None:
    assert _overtaken(_audit(30, live=500), _audit(0, live=300)) == []
    assert _overtaken(_audit(30, 40, live=500), _audit(0, 40, live=300), read=(1,)) == []
