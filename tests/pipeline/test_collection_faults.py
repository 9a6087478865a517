"""Each way in which RDS loses, repeats or renames bytes, by itself; what is stored is what was written."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from database_logs.adapters.complete_file import CompleteFiles
from database_logs.collection import collector, complete
from database_logs.collection.ledger import Gap
from database_logs.collection.restart import common
from kernel import aws
from local.endpoints import ACCOUNT, REGION
from local.rds.model.instances import Instance
from local.rds.model.markers import MarkerStyle
from local.rds.model.portions import NOTICE, BinaryPolicy, CutMarker
from local.rds.model.script import Effect, Rule
from local.rds.model.throttle import RateLimit
from tests.support.metrics import emitted
from tests.support.rds_collecting import (
    TRACKING,
    Collecting,
    audit_lines,
    collecting,
    database,
    pg_lines,
    slow_events,
)

DOWNLOAD = "DownloadDBLogFilePortion"


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


def _gaps(run: Collecting, instance: Instance) -> list[Gap]:
    return [gap for one in run.identities(instance.resource_id) for gap in run.ledger(instance.resource_id, one)[1]]


@pytest.mark.parametrize("style", MarkerStyle)
@pytest.mark.parametrize("cut", CutMarker)
def test_cut_portions_lose_nothing_whatever_their_markers_say(
    run: Collecting, cut: CutMarker, style: MarkerStyle
) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=5000, cut_marker=cut, marker_style=style)
    for number in range(3):
        logs["slow"].write(slow_events(number * 100, 100, seed=number))
        run.run()
    run.run(2, 3600)
    run.check(instance)


def test_portion_of_a_whole_megabyte_is_cut_without_being_asked_for_again(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 14_000))
    run.run(2)
    run.check(instance)
    calls = run.server.control.calls()[DOWNLOAD]
    assert calls < 90, calls


@pytest.mark.parametrize(
    "effect",
    [
        Effect.DUPLICATE_FRAGMENT,
        Effect.SKIP_LINES,
        Effect.PENDING_FALSE,
        Effect.PENDING_MISSING,
        Effect.MARKER_ECHO,
        Effect.MARKER_MISSING,
        Effect.MARKER_EMPTY,
        Effect.THROTTLE,
        Effect.UNAVAILABLE,
        Effect.RESET,
        Effect.EXPIRED_TOKEN,
        Effect.FILE_NOT_FOUND,
        Effect.NOT_READY,
    ],
)
def test_odd_answer_loses_and_repeats_nothing(run: Collecting, effect: Effect) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=5000)
    run.server.control.script([Rule(effect, action=DOWNLOAD, probability=0.3, times=12, amount=11)], seed=5)
    for number in range(3):
        logs["slow"].write(slow_events(number * 60, 60, seed=number))
        run.run()
    assert sum(run.server.control.applied()) > 1
    run.server.control.script([])
    run.run(3, 3600)
    run.check(instance)


def test_listing_that_is_empty_or_shows_too_much_changes_nothing(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    rules = [
        Rule(Effect.EMPTY_LISTING, action="DescribeDBLogFiles", first_call=2, times=3),
        Rule(Effect.LISTED_BEYOND_READABLE, action="DescribeDBLogFiles", probability=0.5, times=None, amount=241),
    ]
    run.server.control.script(rules, seed=3)
    for number in range(4):
        logs["slow"].write(slow_events(number * 30, 30, seed=number))
        run.run()
    run.run(3, 3600)
    run.check(instance)


def test_hourly_rotation_is_followed_by_whatever_name_the_file_has(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", "general", "error", portion_bytes=4000)
    for number in range(10):
        logs["slow"].write(slow_events(number * 40, 40, seed=number))
        run.run(1, 60 * (7 + 13 * (number % 3)))
    run.run(3, 3600)
    run.check(instance)


def test_rotation_between_listing_and_reading_mixes_no_files(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=4000)
    for number in range(6):
        logs["slow"].write(slow_events(number * 40, 40, seed=number))
        run.discover()
        run.world.advance(timedelta(minutes=45 * (1 + number % 3)))
        logs["slow"].write(slow_events(1000 + number * 40, 20, seed=100 + number))
        run.drain()
    run.run(3, 3600)
    run.check(instance)


def test_segment_is_told_alike_by_whoever_tells_it_though_its_file_was_renamed_meanwhile(run: Collecting) -> None:
    databases = [database(run, "mysql", "slow", name=f"orders-{number}") for number in range(12)]
    for _, logs in databases:
        logs["slow"].write(slow_events(0, 30))
    run.discover()
    messages = {json.loads(message["body"])["file"]["instance_id"]: message for message in run.messages()}
    # The message itself is lost with its worker: discovery finds the file under its other name.
    killed = [run.collect([messages[one.identifier]], effects) for effects, (one, _) in enumerate(databases)]
    assert sum(map(bool, killed)) > 8
    run.world.advance(timedelta(hours=1))
    run.run(3)
    told: dict[str, set[str]] = {}
    for body in run.announced():
        told.setdefault(body["key"], set()).add(json.dumps(body, sort_keys=True))
    assert len(told) > 12
    assert {len(bodies) for bodies in told.values()} == {1}


def test_two_hours_pass_while_a_file_is_read(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=4000)
    logs["slow"].write(slow_events(0, 200))
    run.server.control.script([Rule(Effect.HOURS_PASS, action=DOWNLOAD, first_call=3, amount=2)])
    run.run()
    logs["slow"].write(slow_events(200, 50))
    run.run(3, 3600)
    run.check(instance)


def test_audit_files_that_are_renumbered_under_the_reader_are_not_confused(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "audit", portion_bytes=4000)
    for number in range(5):
        logs["audit"].write(audit_lines(number * 100, 100))
        run.discover()
        run.server.control.rotate("orders-1", "audit/server_audit.log")
        logs["audit"].write(audit_lines(1000 + number * 100, 60))
        if number % 2:
            run.server.control.rotate("orders-1", "audit/server_audit.log")
        run.drain()
        run.world.advance(timedelta(minutes=5))
    run.run(4)
    run.check(instance)


def test_audit_file_renumbered_between_two_portions_is_read_again(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "audit", portion_bytes=4000)
    logs["audit"].write(audit_lines(0, 200))
    run.server.control.script([Rule(Effect.ROTATE, action=DOWNLOAD, first_call=4)])
    run.run()
    logs["audit"].write(audit_lines(200, 100))
    run.run(4)
    run.check(instance)


def test_audit_file_that_is_renumbered_until_it_is_gone_is_a_gap(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "audit")
    logs["audit"].write(audit_lines(0, 100))
    run.run()
    for number in range(10):
        logs["audit"].write(audit_lines(1000 + 100 * number, 100))
        run.server.control.rotate("orders-1", "audit/server_audit.log")
    run.run(4)
    run.check(instance)
    gaps = [gap for one in run.identities(instance.resource_id) for gap in run.ledger(instance.resource_id, one)[1]]
    assert [gap.reason for gap in gaps] == ["purged"]


@pytest.mark.parametrize("grown", [0, 3, 60])
def test_reboot_that_takes_the_end_of_a_file_repeats_and_skips_nothing(run: Collecting, grown: int) -> None:
    instance, logs = database(run, "postgres", "stderr", unflushed=2500)
    logs["stderr"].write(pg_lines(0, 300, seed=1))
    run.run(2)
    before = run.content(instance.resource_id, run.identities(instance.resource_id)[0])
    run.server.control.reboot("orders-1")
    logs["stderr"].write(pg_lines(1000, grown, seed=2))
    run.run(2)
    logs["stderr"].write(pg_lines(2000, 10, seed=3))
    run.run(3, 3600)
    run.check(instance)
    [identity] = [one for one in run.identities(instance.resource_id) if "-06" in one]
    ranges, _, _ = run.ledger(instance.resource_id, identity)
    assert {stored.incarnation for stored in ranges} == {0, 1}
    # No line that was there before is stored again, but for the one whose end is lost.
    first = b"".join(run.segment(stored.key) for stored in ranges if stored.incarnation == 0)
    second = b"".join(run.segment(stored.key) for stored in ranges if stored.incarnation == 1)
    assert first == before
    assert not set(first.splitlines()) & set(second.splitlines())


def test_file_that_a_reboot_only_shortened_settles_and_the_ledger_says_so(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", unflushed=2500)
    logs["stderr"].write(pg_lines(0, 300, seed=1))
    run.run(2)
    [identity] = run.identities(instance.resource_id)
    before, _, position = run.ledger(instance.resource_id, identity)
    run.server.control.reboot("orders-1")
    run.run(2)
    assert run.discover()["queued"] == 0
    after, gaps, cut = run.ledger(instance.resource_id, identity)
    [size] = [len(data) for data in run.truth(instance).values()]
    assert (after, gaps, int(cut["shrunk"]["N"])) == (before, [], size)
    assert cut["offset"] == position["offset"]
    # Fewer bytes come than were lost: they are stored at once all the same, and nothing of what is there again.
    logs["stderr"].write(pg_lines(1000, 3, seed=2))
    run.run(2)
    ranges, _, position = run.ledger(instance.resource_id, identity)
    assert "shrunk" not in position
    lines = b"".join(run.segment(stored.key) for stored in ranges).splitlines()
    assert len(lines) == len(set(lines)) > 300
    run.run(3, 3600)
    run.check(instance)


def test_file_that_a_reboot_shortened_for_good_is_finished_when_it_is_closed(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", unflushed=2500)
    logs["slow"].write(slow_events(0, 100))
    run.run(2)
    ranges = {one: run.ledger(instance.resource_id, one)[0] for one in run.identities(instance.resource_id)}
    run.server.control.reboot("orders-1")
    run.run(4, 1800)
    for identity, stored in ranges.items():
        after, gaps, position = run.ledger(instance.resource_id, identity)
        assert (after, gaps, position["finished"]["BOOL"]) == (stored, [], True)
    run.check(instance)


def test_worker_killed_while_it_notes_what_a_reboot_took_stores_nothing_twice(run: Collecting) -> None:
    databases = [database(run, "postgres", "stderr", name=f"orders-{number}", unflushed=2500) for number in range(12)]
    for _, logs in databases:
        logs["stderr"].write(pg_lines(0, 100, seed=1))
    run.run(2)
    for instance, _ in databases:
        run.server.control.reboot(instance.identifier)
    run.discover()
    messages = {json.loads(message["body"])["file"]["instance_id"]: message for message in run.messages()}
    left = [
        message
        for effects, (instance, _) in enumerate(databases)
        for message in run.collect([messages[instance.identifier]], effects)
    ]
    assert 2 < len(left) < 12
    run.waiting = left
    run.drain()
    for _, logs in databases:
        logs["stderr"].write(pg_lines(1000, 2, seed=2))
    run.run(3, 1800)
    run.check(*(instance for instance, _ in databases))
    for instance, _ in databases:
        keys = [
            stored.key
            for one in run.identities(instance.resource_id)
            for stored in run.ledger(instance.resource_id, one)[0]
        ]
        lines = b"".join(run.segment(key) for key in keys).splitlines()
        assert len(lines) == len(set(lines))


def test_restart_that_empties_a_numbered_file_loses_nothing_of_what_a_killed_worker_stored(run: Collecting) -> None:
    databases = [database(run, "mysql", "audit", name=f"orders-{number}", unflushed=10_000) for number in range(14)]
    for instance, logs in databases:
        logs["audit"].write(audit_lines(int(instance.identifier[7:]), 30))
    run.discover()
    messages = {json.loads(message["body"])["file"]["instance_id"]: message for message in run.messages()}
    for effects, (instance, _) in enumerate(databases):
        left = run.collect([messages[instance.identifier]], effects)
        run.server.control.reboot(instance.identifier)
        assert run.collect(left) == []
    for number, (_, logs) in enumerate(databases):
        if number % 2:
            logs["audit"].write(audit_lines(1000, 5))
    run.run(4, 1800)
    run.check(*(instance for instance, _ in databases))
    stored = [
        any(b",QUERY," in run.content(one.resource_id, name) for name in run.identities(one.resource_id))
        for one, _ in databases[::2]
    ]
    assert True in stored
    assert False in stored


def test_rotated_file_that_a_restart_left_less_than_a_line_of_is_stored(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "audit", unflushed=len(audit_lines(0, 1)) - 3)
    for number in range(2):
        logs["audit"].write(audit_lines(number, 1))
        run.server.control.reboot("orders-1")
        run.server.control.rotate("orders-1", "audit/server_audit.log")
        run.run(3, 600)
    assert [run.content(instance.resource_id, one) for one in run.identities(instance.resource_id)] == [b"202"] * 2
    run.check(instance)


def test_reboot_between_two_portions_is_noticed(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4000, unflushed=30_000)
    logs["stderr"].write(pg_lines(0, 200, seed=1))
    run.server.control.script(
        [
            Rule(Effect.REBOOT, action=DOWNLOAD, first_call=9),
            Rule(Effect.GROW, action=DOWNLOAD, first_call=9, amount=40_000),
        ]
    )
    run.run(3)
    run.run(3, 3600)
    run.check(instance)


def test_file_that_came_back_as_another_is_compared_a_window_at_a_time(
    run: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "REWIND_BYTES", 20_000)
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 1200, seed=1))
    run.run(2)
    # Of the first two segments and the half of a line nothing has changed.
    held = run.ledger(instance.resource_id, run.identities(instance.resource_id)[0])[0]
    kept = held[2].start + 50
    assert len(held) > 3
    data = logs["stderr"]._data
    data[kept:] = bytes(data[kept:]).replace(b"x", b"y").replace(b"LOG:", b"log:")
    logs["stderr"].write(pg_lines(1200, 50))
    compared = []

    def counted(stored: bytes, found: bytes) -> int:
        compared.append(len(stored))
        return common(stored, found)

    monkeypatch.setattr(collector, "common", counted)
    run.run(2)
    assert len(compared) > 2
    assert max(compared) <= 65_536
    run.run(3, 3600)
    run.check(instance)
    ranges = run.ledger(instance.resource_id, run.identities(instance.resource_id)[0])[0]
    assert min(stored.start for stored in ranges if stored.incarnation) == held[2].start


def test_purged_file_is_a_gap_and_not_silence(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 50))
    run.run()
    logs["slow"].write(slow_events(50, 50))
    run.world.advance(timedelta(hours=26))
    logs["slow"].write(slow_events(100, 50))
    run.run(4)
    run.check(instance)
    gaps = [gap for one in run.identities(instance.resource_id) for gap in run.ledger(instance.resource_id, one)[1]]
    assert [gap.reason for gap in gaps] == ["purged"]
    assert gaps[0].start > 0


def test_file_that_is_purged_while_it_is_read_is_a_gap(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4000)
    logs["stderr"].write(pg_lines(0, 4000))
    run.world.advance(timedelta(hours=1))
    run.server.control.script([Rule(Effect.PURGE, action=DOWNLOAD, first_call=150)])
    run.run(2)
    run.check(instance)
    [gap] = [gap for one in run.identities(instance.resource_id) for gap in run.ledger(instance.resource_id, one)[1]]
    assert gap.start > 0


def test_paused_instance_is_idle_and_goes_on_afterwards(run: Collecting) -> None:
    instance, logs = database(run, "aurora-postgresql", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.server.control.pause("orders-1")
    assert run.discover()["paused"] == 1
    assert run.messages() == []
    run.server.control.resume("orders-1")
    run.world.advance(timedelta(minutes=30))
    run.run(2)
    run.check(instance)


def test_deleted_instance_leaves_a_gap_with_its_reason(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.run(2)
    logs["stderr"].write(pg_lines(50, 50))
    run.server.control.delete("orders-1")
    run.run(3)
    run.check(instance)
    [identity] = run.identities(instance.resource_id)
    _, [gap], _ = run.ledger(instance.resource_id, identity)
    assert gap.reason == "deleted"


def test_instance_made_anew_under_the_same_name_is_another(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.discover()
    run.server.control.recreate("orders-1")
    logs["stderr"].write(pg_lines(500, 50))
    run.drain()
    run.run(4)
    again = run.world.estate(ACCOUNT, REGION).instance("orders-1")
    assert again.resource_id != instance.resource_id
    run.check(again)
    assert all(run.ledger(instance.resource_id, one)[1] for one in run.identities(instance.resource_id))


@pytest.mark.parametrize("policy", BinaryPolicy)
def test_bytes_that_are_no_text_come_by_the_complete_file(run: Collecting, policy: BinaryPolicy) -> None:
    instance, logs = database(run, "postgres", "stderr", binary=policy, portion_bytes=5000)
    odd = b"2026-11-21 06:31:00 UTC:10.0.0.1(4000):app@orders:[9]:LOG:  \0 \x1a \xff\xfe \xf0\x9f\x98 x\n"
    logs["stderr"].write(pg_lines(0, 40) + odd + pg_lines(40, 40))
    run.run(2)
    logs["stderr"].write(pg_lines(80, 40) + odd)
    run.run(2, 3600)
    run.check(instance)


def test_file_is_idle_only_if_it_is_as_long_as_it_was_listed(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    event = slow_events(2, 1)
    half = event.index(b"SET timestamp")
    logs["slow"].write(slow_events(0, 2) + event[:half])
    run.discover()
    # By then the listing says nothing of what is written.
    run.world.advance(timedelta(seconds=40))
    logs["slow"].write(event[half:])
    run.drain()
    run.run(3)
    run.check(instance)
    [identity] = run.identities(instance.resource_id)
    segments = [run.segment(stored.key) for stored in run.ledger(instance.resource_id, identity)[0]]
    assert len(segments) > 1
    assert all(segment.startswith(b"# Time") for segment in segments)


def test_lines_that_end_in_cr_lf_keep_it(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 100).replace(b"\n", b"\r\n"))
    run.run(3, 3600)
    run.check(instance)


def test_characters_across_a_cut_stay_whole(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4096)
    chance = random.Random(8)  # noqa: S311 - repeatable on purpose
    for number in range(3):
        for line in pg_lines(number * 50, 50, number).splitlines():
            logs["stderr"].write(line + "€😀é".encode() * chance.randrange(60) + b"\n")
        run.run()
    run.run(2, 3600)
    run.check(instance)


def test_line_of_five_megabytes_is_stored_whole_and_said_to_be_cut(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 5) + pg_lines(5, 1)[:-1] + b"y" * 5_000_000 + b"\n" + pg_lines(6, 5))
    run.run(2, 3600)
    run.run(2)
    run.check(instance)


def test_notice_that_a_client_wrote_is_a_line_like_any_other(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4096)
    logs["stderr"].write((pg_lines(0, 10) + NOTICE) * 3)
    run.run(2, 3600)
    run.run(2)
    run.check(instance)


def test_compressed_file_goes_on_where_the_plain_one_stopped(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 300))
    run.run()
    logs["stderr"].write(pg_lines(300, 1500))
    run.world.advance(timedelta(hours=1))
    [file] = [name for name in instance.logs[0].files if "-06" in name]
    run.server.control.compress("orders-1", file)
    run.run(3)
    run.check(instance)


def test_large_closed_file_is_streamed_even_if_the_connection_is_lost(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 30_000))
    run.world.advance(timedelta(hours=1))
    run.server.control.script(
        [Rule(Effect.DISCONNECT, action="DownloadCompleteDBLogFile", first_call=1, times=2, amount=3_000_000)]
    )
    run.run(2)
    run.check(instance)
    assert run.server.control.calls()["DownloadCompleteDBLogFile"] == 3
    assert run.server.control.calls().get(DOWNLOAD, 0) < 5


def _cut_short(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Let complete files end early, and the end look like theirs."""
    whole = CompleteFiles.stream

    def stream(self: CompleteFiles, instance: str, file: str) -> Iterator[bytes]:
        left = length
        for chunk in whole(self, instance, file):
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    monkeypatch.setattr(CompleteFiles, "stream", stream)


def test_complete_file_that_ends_early_without_an_error_is_read_on_by_portions(
    run: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_short(monkeypatch, 20_000)
    monkeypatch.setattr(complete, "_CLOSED_BYTES", 10_000)
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 200))
    run.world.advance(timedelta(hours=1))
    run.run(3)
    run.check(instance)
    assert _gaps(run, instance) == []


def test_bytes_that_are_listed_and_given_by_no_path_are_a_gap(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 20))
    run.world.advance(timedelta(hours=1))
    listing = Rule(Effect.LISTED_BEYOND_READABLE, action="DescribeDBLogFiles", times=None, amount=241)
    run.server.control.script([listing])
    run.run(3)
    run.check(instance)
    [gap] = [gap for gap in _gaps(run, instance) if gap.start]
    assert (gap.reason, gap.end) == ("undelivered", gap.start + 241)


def test_hole_in_the_ledger_is_declared_when_its_file_is_finished(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 300))
    run.run()
    [identity] = run.identities(instance.resource_id)
    stored = run.ledger(instance.resource_id, identity)[0][0]
    key = {"resource": {"S": instance.resource_id}, "item": {"S": f"range#{identity}#0000#{stored.start:015d}"}}
    aws.dynamodb().delete_item(TableName=TRACKING, Key=key)
    run.run(2, 3600)
    assert [(gap.start, gap.end, gap.reason) for gap in _gaps(run, instance)] == [(0, stored.end, "unaccounted")]


def test_throttled_account_slows_down_and_loses_nothing(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=20_000)
    run.server.control.limit(ACCOUNT, REGION, RateLimit(rate=0.05, burst=4, real_time=False))
    logs["slow"].write(slow_events(0, 300))
    run.run(12, 60)
    run.server.control.limit(ACCOUNT, REGION, None)
    run.run(3, 3600)
    run.check(instance)
    assert run.server.control.calls()["throttled"] > 0


@pytest.mark.parametrize("effect", [Effect.THROTTLE, Effect.NOT_READY, Effect.ACCESS_DENIED, Effect.INTERNAL_FAILURE])
def test_what_rds_does_not_give_now_comes_with_the_next_pass_and_blocks_nothing(
    run: Collecting, effect: Effect, capsys: pytest.CaptureFixture[str]
) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.discover()
    run.server.control.script([Rule(effect, action=DOWNLOAD, times=None)])
    capsys.readouterr()
    assert run.collect(run.messages()) == []
    told = emitted(capsys.readouterr().out)
    assert sum(told["CollectionsFailed"]) == (effect is Effect.INTERNAL_FAILURE)
    # An alarm of its own tells of it, and not that on failures, too.
    assert told["InstancesRefused"] == (effect is Effect.ACCESS_DENIED)
    run.server.control.script([])
    run.run(2)
    run.check(instance)


@pytest.mark.parametrize(("code", "refused"), [("AccessDenied", 1), ("InternalFailure", 0)])
def test_role_that_sts_refuses_is_told_of_while_others_are_collected_and_loses_nothing(
    run: Collecting, code: str, refused: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[ClientError] = []

    def assume(*_: str) -> boto3.Session:
        if answers:
            raise answers[0]
        return aws.session()

    monkeypatch.setattr(aws, "session_in_role", assume)
    role = {"role_arn": "arn:aws:iam::210987654321:role/logs", "external_id": "gatehouse"}
    own, other = {"account": ACCOUNT, "region": REGION}, {"account": "210987654321", "region": REGION}
    run.set_fleet(estates=[other | role], rate=1e6)
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.discover()
    [message] = run.messages()
    run.set_fleet(estates=[own, other | role], rate=1e6)
    body = json.loads(message["body"])
    body["file"] |= {"account": ACCOUNT, "dbi_resource_id": instance.resource_id}
    another = message | {"messageId": "own", "body": json.dumps(body)}
    answers.append(ClientError({"Error": {"Code": code, "Message": "no"}}, "AssumeRole"))
    capsys.readouterr()
    assert run.collect([message]) == []
    told = emitted(capsys.readouterr().out)
    assert (told["InstancesRefused"], sum(told["CollectionsFailed"])) == (refused, 1 - refused)
    assert run.collect([message, another]) == []
    assert run.ledger(instance.resource_id, run.identities(instance.resource_id)[0])[0]
    logs["stderr"].write(pg_lines(50, 50))
    run.set_fleet(estates=[other | role], rate=1e6)
    run.run(2)
    answers.clear()
    run.run(2, 3600)
    run.check(instance)


def test_file_that_another_worker_has_comes_with_the_next_pass(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.discover()
    messages = run.messages()
    run.collect(messages, kill_after=1)
    assert run.collect([message | {"messageId": "another"} for message in messages]) == []
    run.world.advance(timedelta(minutes=16))
    run.run(2)
    run.check(instance)


def test_worker_that_comes_to_life_again_changes_nothing(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 450))
    run.discover()
    messages = run.messages()

    commits = 0

    def another(**_: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == 2:
            logs["stderr"].write(pg_lines(450, 50))
            run.world.advance(timedelta(hours=1))
            assert run.collect([message | {"messageId": "another"} for message in messages]) == []

    with run.watching("TransactWriteItems", another):
        assert run.collect(messages) == []
    assert commits > 2
    run.run(2, 3600)
    run.check(instance)
