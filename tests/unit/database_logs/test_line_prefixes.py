"""log_line_prefix as patterns."""

import re
from typing import Any

import polars as pl
import pytest

from database_logs.line_prefixes import line_pattern
from tests.support.rds_samples import expected

_RDS = "%t:%r:%u@%d:[%p]:"
_FIELDS = {
    "Username": "user_name",
    "Database": "database_name",
    "Application": "application_name",
    "BackendPid": "process_id",
    "LogLineNumber": "session_line",
}


def _read(prefix: str, line: str) -> dict[str, str | None]:
    pattern = line_pattern(prefix)
    found = [
        pl.Series([line]).str.extract_groups(each).struct.unnest().row(0, named=True)
        for each in (pattern.narrow, pattern.wide)
    ]
    fields: dict[str, str | None] = found[0] if found[0]["severity"] else found[1]
    assert fields["severity"]
    if found[0]["severity"]:
        assert found[0] == found[1]
    return fields


def test_published_lines_of_many_prefixes_give_the_expected_fields() -> None:
    cases = expected("pganalyze/expected/line_prefix_parse.json")
    assert len(cases) == 45
    for case in cases:
        fields = _read(case["log_line_prefix"], case["line"])
        wanted: dict[str, Any] = case["expected"]
        for theirs, ours in _FIELDS.items():
            value = fields.get(ours)
            assert str(wanted.get(theirs) or "") == ("" if value in (None, "[unknown]") else value), case["line"]
        text = re.sub("^[0-9A-Z]{5}: ", "", case["line"][len(fields["head"] or "") :])
        assert text == wanted["Content"]


@pytest.mark.parametrize(
    ("who", "remote", "user", "database"),
    [
        ("2001:db8::1(5432):app@shop", "2001:db8::1(5432)", "app", "shop"),
        ("::1(5432):app@shop", "::1(5432)", "app", "shop"),
        ("[local]:a@b@shop", "[local]", "a@b", "shop"),
        ("10.0.0.1(1):a:[b]@shop:[x", "10.0.0.1(1)", "a:[b]", "shop:[x"),
        ("10.0.0.1(1):[unknown]@[unknown]", "10.0.0.1(1)", "[unknown]", "[unknown]"),
        (":@", "", "", ""),
    ],
)
def test_rds_prefix_is_read_whatever_names_hold(who: str, remote: str, user: str, database: str) -> None:
    fields = _read(_RDS, f"2026-01-01 10:00:00 UTC:{who}:[42]:LOG:  text")
    found = (fields["remote"], fields["user_name"], fields["database_name"], fields["process_id"])
    assert found == (remote, user, database, "42")


def test_every_escape_has_a_field() -> None:
    prefix = "%a|%u|%d|%r|%h|%L|%b|%p|%P|%t|%m|%n|%i|%e|%c|%l|%s|%v|%x|%Q|%%|%q"
    line = (
        "psql|app|shop|10.0.0.1(5432)|10.0.0.1|10.0.0.2|client backend|42|41|2026-01-01 10:00:00 UTC"
        "|2026-01-01 10:00:00.123 UTC|1767261600.123|SELECT|00000|695643a0.2a|3|2026-01-01 09:59:59 UTC|4/12|731|-88|%|"
        "LOG:  text"
    )
    fields = _read(prefix, line)
    assert fields == {
        "head": line[:-4],
        "application_name": "psql",
        "user_name": "app",
        "database_name": "shop",
        "remote": "10.0.0.1(5432)",
        "client_host": "10.0.0.1",
        "server_host": "10.0.0.2",
        "backend_type": "client backend",
        "process_id": "42",
        "leader_pid": "41",
        "seconds": "2026-01-01 10:00:00",
        "seconds_zone": "UTC",
        "command_tag": "SELECT",
        "milliseconds": "2026-01-01 10:00:00.123",
        "milliseconds_zone": "UTC",
        "epoch": "1767261600.123",
        "sqlstate": "00000",
        "session_id": "695643a0.2a",
        "session_line": "3",
        "transaction_id": "731",
        "session_start": "2026-01-01 09:59:59",
        "session_start_zone": "UTC",
        "virtual_transaction_id": "4/12",
        "query_id": "-88",
        "severity": "LOG",
    }


@pytest.mark.parametrize("line", ["      app|        42 LOG:  text", "app|        42 LOG:  text"])
def test_padding_is_no_part_of_a_value(line: str) -> None:
    assert _read("%9u|%10p ", line)["user_name"] == "app"
    assert _read("%9u|%10p ", line)["process_id"] == "42"


def test_padding_to_the_right_is_no_part_of_a_value() -> None:
    assert _read("%-10u|%-10p ", "app       |42         LOG:  text")["user_name"] == "app"


def test_background_processes_stop_at_q() -> None:
    prefix = "%m [%p] %q%u@%d "
    fields = _read(prefix, "2026-01-01 10:00:00.123 UTC [42] LOG:  text")
    assert (fields["process_id"], fields["user_name"]) == ("42", None)


def test_names_with_nothing_to_tell_them_apart_cost_a_long_line_little() -> None:
    pattern = line_pattern("%a %u %d %i ")
    assert pattern.begins_record(b"psql app orders SELECT LOG:  x")
    # Unbounded, each would take hours.
    assert not pattern.begins_record(b"a " * 2000)
    assert not pattern.begins_record(b"a " * 2000 + b"LOG: ")
