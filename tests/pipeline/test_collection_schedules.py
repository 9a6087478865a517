"""Schedules that nobody thought of: writing, time, faults, restarts, killed and racing workers, in any order."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from database_logs.collection import lanes, portions
from local.rds.model.portions import CutMarker
from local.rds.model.script import Effect, Rule
from tests.support.effort import examples
from tests.support.rds_collecting import (
    Collecting,
    alert_entries,
    audit_lines,
    collecting,
    database,
    latin_audit_lines,
    pg_lines,
    slow_events,
    sqlserver_lines,
)

DOWNLOAD = "DownloadDBLogFilePortion"
# Of which several are under way at once in a segment.
PORTION = 1500
FAULTS = (
    Effect.DUPLICATE_FRAGMENT,
    Effect.SKIP_LINES,
    Effect.MARKER_ECHO,
    Effect.MARKER_EMPTY,
    Effect.MARKER_MISSING,
    Effect.THROTTLE,
    Effect.RESET,
    Effect.FILE_NOT_FOUND,
    Effect.GROW,
    Effect.REBOOT,
)
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 60)),
    st.tuples(st.just("write"), st.integers(1, 60)),
    st.tuples(st.just("pass"), st.sampled_from([1, 6, 31, 59, 130])),
    st.tuples(st.just("killed"), st.integers(1, 12)),
    st.tuples(st.just("raced"), st.integers(1, 3)),
    st.tuples(st.just("discover"), st.just(0)),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
    st.tuples(st.just("reboot"), st.just(0)),
    st.tuples(st.just("rotate"), st.just(0)),
    st.tuples(st.just("sleep"), st.booleans()),
)
# Engine, kind, file and what is written.
LOGS: dict[str, tuple[str, str, str, Any]] = {
    "stderr": ("aurora-postgresql", "stderr", "error/postgresql.log", pg_lines),
    "slow": ("mysql", "slow", "slowquery/mysql-slowquery.log", slow_events),
    "audit": ("mysql", "audit", "audit/server_audit.log", audit_lines),
    "audit of aurora": ("aurora-mysql", "audit.0", "audit/audit.log.0", audit_lines),
    "audit in latin-1": ("mariadb", "audit", "audit/server_audit.log", latin_audit_lines),
    "sql server with cr lf": ("sqlserver-se", "error", "log/ERROR", sqlserver_lines),
    "oracle": ("oracle-ee", "alert", "trace/alert_ORCL.log", alert_entries),
}


@settings(max_examples=examples(16), deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    log=st.sampled_from(sorted(LOGS)),
    steps=st.lists(STEPS, min_size=4, max_size=14),
    cut=st.sampled_from(CutMarker),
    unflushed=st.sampled_from([10, 700, 3072, 20_000]),
    ends=st.booleans(),
)
# A restart takes the end of the last line, and nothing is written after it.
@example(
    log="audit",
    steps=[("write", 27), ("killed", 1), ("reboot", 0), ("discover", 0)],
    cut=CutMarker.BEFORE_CUT,
    unflushed=10,
    ends=True,
)
def test_segments_hold_what_was_written_under_any_schedule(
    log: str, steps: list[tuple[str, Any]], cut: CutMarker, unflushed: int, *, ends: bool
) -> None:
    engine, kind, file, lines = LOGS[log]
    with collecting(SEGMENT_BYTES="8192") as run, small_portions():
        instance, logs = database(run, engine, kind, portion_bytes=PORTION, cut_marker=cut, unflushed=unflushed)
        written = 0
        for step, value in [("write", 30), *steps]:
            if step == "write":
                logs[kind].write(lines(written, value))
                written += value
            elif step == "sleep" and not engine.startswith("aurora"):
                continue  # only Serverless instances of Aurora sleep
            elif step == "rotate" and kind not in {"stderr", "slow"}:
                run.server.control.rotate("orders-1", file)
            else:
                take(run, step, value)
        run.server.control.script([])
        run.server.control.resume("orders-1")
        if not ends:
            logs[kind].write(lines(written, 100))
        for _ in range(5):
            run.run(1, 3600)
        assert not run.waiting, [json.loads(message["body"]) for message in run.waiting]
        run.check(instance)


@contextmanager
def small_portions() -> Iterator[None]:
    """Let the collector know that portions are small."""
    with patch.object(lanes, "MOST_BYTES", PORTION), patch.object(portions, "MOST_BYTES", PORTION):
        yield


def take(run: Collecting, step: str, value: Any) -> None:
    """Take a step that is not about one log."""
    if step == "pass":
        run.world.advance(timedelta(minutes=value))
        run.run(1, 60)
    elif step == "discover":
        run.discover()
    elif step == "killed":
        run.discover()
        run.waiting += run.messages()
        run.waiting = run.collect(run.waiting, value) if run.waiting else []
    elif step == "raced":
        race(run, value)
    elif step == "fault":
        run.server.control.script([Rule(value, action=DOWNLOAD, first_call=2, times=2, amount=500)])
    elif step == "reboot":
        run.server.control.reboot("orders-1")
    elif step == "sleep":
        (run.server.control.pause if value else run.server.control.resume)("orders-1")


def race(run: Collecting, number: int) -> None:
    """Let a second worker take everything over while the first is about to commit, after its lease has run out."""
    run.discover()
    messages = run.waiting + run.messages()
    seen = 0

    def another(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            run.world.advance(timedelta(minutes=16))
            run.waiting = run.collect([message | {"messageId": f"{number}-other"} for message in messages[:1]])

    run.waiting = []
    with run.watching("TransactWriteItems", another):
        left = run.collect(messages) if messages else []
    run.waiting = [*left, *run.waiting]
