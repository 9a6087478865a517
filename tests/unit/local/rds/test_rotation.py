"""Rotation, markers across it, restarts and purges, as a boto3 client sees them."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.rds.model.errors import ServiceError
from local.rds.model.markers import MarkerStyle
from local.rds.model.sources import MemorySource
from local.rds.server import RdsServer
from tests.support.rds import SLOW, add_instance, rds_client, write

HOUR = 3600


def listing(rds: Any, name: str = "orders-1", **conditions: Any) -> dict[str, int]:
    answer = rds.describe_db_log_files(DBInstanceIdentifier=name, **conditions)
    return {file["LogFileName"]: file["Size"] for file in answer["DescribeDBLogFiles"]}


def portion(rds: Any, marker: str, file: str = SLOW, **parameters: Any) -> tuple[str, str, bool]:
    answer = rds.download_db_log_file_portion(
        DBInstanceIdentifier="orders-1", LogFileName=file, Marker=marker, **parameters
    )
    return answer["LogFileData"], answer["Marker"], answer["AdditionalDataPending"]


@pytest.fixture
def three_hours(rds_api: RdsServer) -> RdsServer:
    """06, 07 and 08 o'clock have a line each; it is 08:30."""
    instance = add_instance(rds_api.world)
    for hour in (6, 7, 8):
        if hour > 6:
            rds_api.control.advance(HOUR)
        write(instance, SLOW, f"line of {hour}\n".encode())
    return rds_api


def test_slow_log_is_renamed_to_the_hour_that_ends(three_hours: RdsServer) -> None:
    rds = rds_client(three_hours)
    assert listing(rds, FilenameContains="slow") == {SLOW: 10, f"{SLOW}.2026-11-21.7": 10, f"{SLOW}.2026-11-21.8": 10}
    assert portion(rds, "0", f"{SLOW}.2026-11-21.7") == ("line of 6\n", "9:10", False)


def test_midnight_belongs_to_the_next_day(rds_api: RdsServer) -> None:
    add_instance(rds_api.world)
    rds_api.control.advance(18 * HOUR)
    assert f"{SLOW}.2026-11-22.0" in listing(rds_client(rds_api))


def test_marker_of_the_last_hour_goes_on_in_the_renamed_file_and_then_in_the_live_one(three_hours: RdsServer) -> None:
    rds = rds_client(three_hours)
    assert portion(rds, "8:5") == ("of 7\n", "9:0", True)
    assert portion(rds, "8:10") == ("line of 8\n", "9:10", False)
    assert portion(rds, "9:0") == ("line of 8\n", "9:10", False)


def test_marker_two_hours_old_is_stuck(three_hours: RdsServer) -> None:
    assert portion(rds_client(three_hours), "7:0") == ("", "7:0", False)


def test_marker_of_a_purged_hour_reads_the_live_file_in_silence(three_hours: RdsServer) -> None:
    three_hours.control.purge("orders-1", f"{SLOW}.2026-11-21.7")
    assert portion(rds_client(three_hours), "7:5") == ("of 8\n", "9:10", False)


def test_prefix_means_nothing_on_a_renamed_file_and_comes_back_as_the_live_one(three_hours: RdsServer) -> None:
    assert portion(rds_client(three_hours), "3:5", f"{SLOW}.2026-11-21.7") == ("of 6\n", "9:10", False)


def test_dated_markers(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world, marker_style=MarkerStyle.DATED)
    write(instance, SLOW, b"one\n")
    rds = rds_client(rds_api)
    assert portion(rds, "0") == ("one\n", "2026-11-21.7:4", False)
    rds_api.control.advance(24 * HOUR)
    write(instance, SLOW, b"tomorrow\n")
    assert portion(rds, "2026-11-21.7:0") == ("", "2026-11-21.7:0", False)


def test_hour_without_date_means_today_a_day_later(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world)
    write(instance, SLOW, b"one\n")
    rds_api.control.advance(24 * HOUR)
    write(instance, SLOW, b"tomorrow\n")
    assert portion(rds_client(rds_api), "7:4") == ("rrow\n", "7:9", False)


def test_offset_beyond_the_end_is_answered_with_itself(three_hours: RdsServer) -> None:
    assert portion(rds_client(three_hours), "9:11") == ("", "9:11", False)


def test_last_line_comes_without_newline_and_goes_on_later(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world)
    rds = rds_client(rds_api)
    write(instance, SLOW, b"half")
    assert portion(rds, "0") == ("half", "7:4", False)
    write(instance, SLOW, b" more\n")
    assert portion(rds, "7:4") == (" more\n", "7:10", False)


def test_error_log_is_appended_to_the_running_one_every_five_minutes_and_emptied(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world)
    rds = rds_client(rds_api)
    write(instance, "error", b"first\n")
    assert listing(rds, FilenameContains="error") == {"error/mysql-error-running.log": 0, "error/mysql-error.log": 6}
    rds_api.control.advance(300)
    write(instance, "error", b"second\n")
    assert listing(rds, FilenameContains="error") == {"error/mysql-error-running.log": 6, "error/mysql-error.log": 7}
    rds_api.control.advance(HOUR)
    assert listing(rds, FilenameContains="error") == {
        "error/mysql-error-running.log": 0,
        "error/mysql-error-running.log.2026-11-21.7": 13,
        "error/mysql-error.log": 0,
    }
    truth = {name: file.moves_on for file in rds_api.control.truth() for name in file.names}
    assert truth["error/mysql-error.log"]
    assert not truth["error/mysql-error-running.log.2026-11-21.7"]


@pytest.mark.parametrize(
    ("engine", "names"),
    [
        ("aurora-postgresql", ["error/postgresql.log.2026-11-21-0630", "error/postgresql.log.2026-11-21-0700"]),
        ("postgres", ["error/postgresql.log.2026-11-21-06", "error/postgresql.log.2026-11-21-07"]),
    ],
)
def test_postgresql_begins_a_file_every_hour(rds_api: RdsServer, engine: str, names: list[str]) -> None:
    add_instance(rds_api.world, engine=engine)
    rds_api.control.advance(HOUR)
    assert list(listing(rds_client(rds_api))) == sorted([*names, *(f"{name}.csv" for name in names)])


def test_aurora_audits_into_four_files_whose_names_stay(rds_api: RdsServer) -> None:
    add_instance(rds_api.world, engine="aurora-mysql")
    rds_api.control.advance(HOUR)
    names = [name.rpartition(".")[0] for name in listing(rds_client(rds_api), FilenameContains="audit")]
    assert names == [f"audit/audit.log.{number}.2026-11-21-{at}" for number in range(4) for at in ("06-30", "07-00")]


def test_audit_plugin_renames_under_the_reader(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world)
    rds = rds_client(rds_api)
    for content in (b"a" * 2**20, b"b" * 2**20):
        write(instance, "audit", content)
        rds_api.control.advance(300)
    assert list(listing(rds, FilenameContains="audit")) == [f"audit/server_audit.log{end}" for end in ("", ".1", ".2")]
    assert portion(rds, "0", "audit/server_audit.log.1")[0].startswith("b")


def test_files_are_purged_by_age(rds_api: RdsServer) -> None:
    add_instance(rds_api.world)
    rds_api.control.advance(25 * HOUR)
    assert f"{SLOW}.2026-11-21.7" not in listing(rds_client(rds_api))
    [purged] = [file for file in rds_api.control.truth() if f"{SLOW}.2026-11-21.7" in file.names]
    assert purged.purged is not None
    assert purged.purged.isoformat() == "2026-11-22T07:00:00+00:00"


def test_last_written_of_an_idle_file_stands_still(rds_api: RdsServer) -> None:
    write(add_instance(rds_api.world), SLOW, b"one\n")
    rds = rds_client(rds_api)
    rds_api.control.advance(300)
    since = int(rds_api.control.now().timestamp() * 1000)
    rds_api.control.advance(1200)
    assert listing(rds, FilenameContains=SLOW, FileLastWritten=since) == {SLOW: 4}
    assert listing(rds, FilenameContains=SLOW, FileLastWritten=since + 1) == {}


def test_last_written_may_trail_the_bytes(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world)
    rds_api.control.advance(600)
    write(instance, SLOW, b"one\n")
    rds_api.control.knobs("orders-1", last_written_trails=timedelta(seconds=90).total_seconds())
    [file] = rds_client(rds_api).describe_db_log_files(DBInstanceIdentifier="orders-1", FilenameContains="slow")[
        "DescribeDBLogFiles"
    ]
    assert file["LastWritten"] == (rds_api.control.now().timestamp() - 90) * 1000


def test_restart_takes_the_end_of_the_file_and_it_grows_from_there(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world, unflushed=7)
    write(instance, SLOW, b"safe\nlost\nhalf")
    rds = rds_client(rds_api)
    rds_api.control.reboot("orders-1")
    assert listing(rds)[SLOW] == 7
    write(instance, SLOW, b"\nafter\n")
    assert portion(rds, "0")[0] == "safe\nlo\nafter\n"
    [truth] = [file for file in rds_api.control.truth() if SLOW in file.names]
    assert (truth.size, truth.lines) == (14, 3)
    assert [(lost.offset, lost.size, lost.lines) for lost in truth.lost] == [(7, 7, 1)]
    messages = [event["Message"] for event in rds.describe_events(Duration=60)["Events"]]
    assert messages == ["DB instance shutdown", "DB instance restarted"]


def test_compressed_file_lists_the_small_size_and_delivers_the_text(rds_api: RdsServer) -> None:
    instance = add_instance(rds_api.world, engine="postgres")
    stderr, _ = instance.logs
    assert isinstance(stderr.source, MemorySource)
    stderr.source.write(b"line\n" * 1000)
    rds_api.control.advance(HOUR)
    name = "error/postgresql.log.2026-11-21-06"
    rds_api.control.compress("orders-1", name)
    rds = rds_client(rds_api)
    sizes = listing(rds)
    assert name not in sizes
    assert 0 < sizes[f"{name}.gz"] < 1000
    assert portion(rds, "0", f"{name}.gz")[0] == "line\n" * 1000


def test_file_that_is_written_is_neither_purged_nor_compressed(rds_api: RdsServer) -> None:
    add_instance(rds_api.world)
    for command in (rds_api.control.purge, rds_api.control.compress):
        with pytest.raises(ServiceError, match="still written"):
            command("orders-1", SLOW)
    assert SLOW in listing(rds_client(rds_api))


def test_renamed_file_is_gone_under_its_old_name(rds_api: RdsServer) -> None:
    add_instance(rds_api.world, engine="sqlserver-se")
    rds = rds_client(rds_api)
    rds_api.control.rotate("orders-1", "log/ERROR")
    assert list(listing(rds)) == ["log/ERROR", "log/ERROR.1"]
    rds_api.control.purge("orders-1", "log/ERROR.1")
    with pytest.raises(ClientError, match="DBLogFileNotFoundFault"):
        portion(rds, "0", "log/ERROR.1")
