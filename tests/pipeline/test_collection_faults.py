"""Each way in which RDS loses, repeats or renames bytes, by itself; what is stored is what was written."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.endpoints import ACCOUNT, REGION
from local.rds.model.markers import MarkerStyle
from local.rds.model.portions import NOTICE, BinaryPolicy, CutMarker
from local.rds.model.script import Effect, Rule
from local.rds.model.throttle import RateLimit
from tests.support.rds_collecting import Collecting, audit_lines, collecting, database, pg_lines, slow_events

DOWNLOAD = "DownloadDBLogFilePortion"


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


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
    assert sum(run.server.control.applied()) > 2
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


def test_throttled_account_slows_down_and_loses_nothing(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow", portion_bytes=20_000)
    run.server.control.limit(ACCOUNT, REGION, RateLimit(rate=0.05, burst=4, real_time=False))
    logs["slow"].write(slow_events(0, 300))
    run.run(12, 60)
    run.server.control.limit(ACCOUNT, REGION, None)
    run.run(3, 3600)
    run.check(instance)
    assert run.server.control.calls()["throttled"] > 0


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
        assert run.collect(messages) == messages
    assert commits > 2
    run.run(2, 3600)
    run.check(instance)
