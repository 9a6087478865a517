from datetime import UTC, datetime, timedelta

import pytest

from database_logs.collection.ledger import Reason
from database_logs.collection.unlisted import Unlisted, Unwatched, unlisted
from database_logs.discovery.files import Known, Listed

HOUR = timedelta(hours=1)
SINCE = datetime(2026, 11, 16, 6, 30, tzinfo=UTC)
NOW = SINCE + timedelta(days=5)
SIX = SINCE.replace(minute=0)
STDERR = "error/postgresql.log"
SLOW = "slowquery/mysql-slowquery.log"


def _pg(hour: datetime, form: str = "", minutes: str = "") -> str:
    return f"{STDERR}.{hour:%Y-%m-%d-%H}{minutes}{form}"


def _slow(begin: datetime) -> str:
    hour = begin + HOUR
    return f"{SLOW}.{hour:%Y-%m-%d}.{hour.hour}"


def _listed(file: str, at: datetime) -> Listed:
    return Listed(file, 10, at)


def _known(file: str, at: datetime) -> Known:
    return Known(file, 10, at, file, settled=True, final=False)


def _hours(
    listing: list[Listed],
    known: list[Known],
    engine: str = "postgres",
    asleep: tuple[datetime, datetime] | None = None,
    now: datetime = NOW,
) -> list[Unlisted]:
    return unlisted(listing, known, engine, Unwatched(SINCE, now, asleep))


@pytest.mark.parametrize("minutes", ["", "00"])
def test_hours_between_the_last_known_file_and_the_oldest_listed_one_are_lost(minutes: str) -> None:
    oldest = SIX + timedelta(days=2)
    listing = [_listed(_pg(oldest + n * HOUR, minutes=minutes), oldest + n * HOUR) for n in range(5)]
    missed = _hours(listing, [_known(_pg(SIX, minutes=minutes), SINCE)])
    assert missed == [Unlisted(STDERR, SIX + HOUR, oldest, Reason.NEVER_LISTED)]


def test_hour_of_the_last_look_is_lost_too_if_its_file_was_empty_then() -> None:
    oldest = SIX + timedelta(days=2)
    missed = _hours([_listed(_pg(oldest), oldest)], [_known(_pg(SIX - 2 * HOUR), SINCE - 2 * HOUR)])
    assert [hours.first for hours in missed] == [SIX]


def test_nothing_is_lost_while_a_file_is_listed_that_is_as_old_as_the_last_look() -> None:
    # The server was stopped for days, or wrote none: RDS removes the oldest first.
    listing = [_listed(_pg(SIX), SINCE), _listed(_pg(SIX + timedelta(days=4)), NOW)]
    assert _hours(listing, [_known(_pg(SIX), SINCE)]) == []


def test_log_of_which_nothing_was_known_proves_nothing() -> None:
    listing = [_listed(_pg(SIX + timedelta(days=2), ".csv"), NOW)]
    assert _hours(listing, [_known(_pg(SIX), SINCE)]) == []


def test_each_log_has_hours_of_its_own() -> None:
    oldest = {"": SIX + 2 * HOUR, ".csv": SIX + 3 * HOUR}
    listing = [_listed(_pg(hour, form), hour) for form, hour in oldest.items()]
    missed = _hours(listing, [_known(_pg(SIX, form), SINCE) for form in oldest])
    assert [(hours.base, hours.until) for hours in missed] == [
        (STDERR, SIX + 2 * HOUR),
        (f"{STDERR}.csv", SIX + 3 * HOUR),
    ]


def test_hours_that_a_serverless_instance_slept_through_are_not_lost() -> None:
    asleep = (SIX + 2.5 * HOUR, SIX + 20.5 * HOUR)
    missed = _hours([_listed(_pg(SIX + 23 * HOUR), NOW)], [_known(_pg(SIX), SINCE)], asleep=asleep)
    assert [(hours.first, hours.until) for hours in missed] == [
        (SIX + HOUR, SIX + 3 * HOUR),
        (SIX + 20 * HOUR, SIX + 23 * HOUR),
    ]


def test_what_a_pass_noted_that_died_was_listed() -> None:
    listing = [_listed(_pg(SIX + 9 * HOUR), NOW)]
    known = [_known(_pg(SIX), SINCE), _known(_pg(SIX + 7 * HOUR), NOW)]
    assert [hours.until for hours in _hours(listing, known)] == [SIX + 7 * HOUR]


def test_hours_of_mysql_may_be_lost_once_they_are_older_than_what_is_kept() -> None:
    begin = SIX + timedelta(days=4)
    missed = _hours([_listed(_slow(begin), begin), _listed(SLOW, NOW)], [_known(SLOW, SINCE)], "mysql")
    assert missed == [Unlisted(SLOW, SIX + HOUR, begin, Reason.MAYBE_NEVER_LISTED)]
    # Two hours without a look: MySQL, which writes seldom, has no files of them.
    assert _hours([_listed(SLOW, SINCE + 3 * HOUR)], [_known(SLOW, SINCE)], "mysql", now=SINCE + 3 * HOUR) == []


@pytest.mark.parametrize("file", ["audit/server_audit.log", "audit/audit.log.0.2026-11-20-06-30.7"])
def test_logs_that_are_not_rotated_by_the_hour_prove_nothing(file: str) -> None:
    known = [_known("audit/server_audit.log", SINCE), _known("audit/audit.log.0.2026-11-16-06-30.1", SINCE)]
    assert _hours([_listed(file, NOW)], known, "aurora-mysql") == []
