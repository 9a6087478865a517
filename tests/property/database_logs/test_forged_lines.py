"""Statements may hold lines that look like those of a log, with any numbers: their segments come into the lake."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_logs.contracts import FileRef, SegmentCommitted
from database_logs.lake_files import lake_files, manifest_of
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.search.documents import documents
from database_logs.segment_parser import segment_of
from tests.support.effort import examples
from tests.support.rds_segments import bytes_of
from tests.support.rds_segments import segment_of as a_segment

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(40))
_DIGITS = st.text("0123456789", min_size=1, max_size=24)
_YEARS = st.sampled_from(["0000", "0001", "1899", "1969", "2024", "2262", "9999"])
_OFFSETS = st.sampled_from(["Z", "+00:00", "-12:00", "+14:00", "+99:99"])
_TIMES = st.builds(
    "{}-{}-{}T23:59:59.{}{}".format, _YEARS, st.sampled_from(["01", "12"]), st.just("31"), _DIGITS, _OFFSETS
)
_ZONES = st.sampled_from(["UTC", "Europe/Berlin", "SYSTEM", ""])

_FORMS = {
    LogType.MYSQL_SLOW: [
        "# Time: {time}\n",
        "# User@Host: a[a] @  []  Id: {digits}\n",
        "# Query_time: {digits}.{digits}  Lock_time: {digits} Rows_sent: {digits}  Rows_examined: {digits}\n",
        "SET timestamp={digits};\n",
        "SELECT 1;\n",
    ],
    LogType.MYSQL_GENERAL: ["{time}\t{digits} Query\tSELECT 1\n", "{digits} 10:00:00\t{digits} Quit\t\n"],
    LogType.MYSQL_ERROR: ["{time} {digits} [Note] x\n", "{digits} 10:00:00 [Note] x\n"],
    LogType.MYSQL_AUDIT: ["{digits},s,u,h:{digits},{digits},{digits},QUERY,d,'SELECT 1',{digits}\n"],
    LogType.POSTGRES_STDERR: [
        "{day} 23:59:59 {zone}:h({digits}):u@d:[{digits}]:LOG:  duration: {digits}.{digits} ms  statement: SELECT 1\n",
    ],
    LogType.POSTGRES_CSV: [
        """{day} 23:59:59.123 {zone},"u","d",{digits},"h:{digits}",5f.1,{digits},"SELECT",{day} 06:30:00 {zone},1/1,\
{digits},LOG,00000,"x",,,,,{digits},,,{digits},"p"\n""",
    ],
    LogType.POSTGRES_JSON: ['{{"timestamp":"{day} 23:59:59.1 {zone}","pid":{digits},"query_id":{digits}}}\n'],
    LogType.SQLSERVER_ERROR: [
        "{day} 23:59:59.12 spid{digits}  Error: {digits}, Severity: {digits}, State: {digits}.\n",
    ],
    LogType.ORACLE_ALERT: ["{time}\nORA-{digits}: x\n", "Wed Dec 31 23:59:59 {year}\nx\n"],
}  # fmt: skip


def test_every_kind_of_log_is_forged() -> None:
    assert set(_FORMS) == set(LogType)


@pytest.mark.parametrize("log_type", LogType)
@_SETTINGS
@given(data=st.data())
def test_lines_with_any_numbers_become_files_and_documents(log_type: LogType, data: st.DataObject) -> None:
    lines = []
    for form in data.draw(st.lists(st.sampled_from(_FORMS[log_type]), min_size=1, max_size=8)):
        time = data.draw(_TIMES)
        zone = data.draw(st.sampled_from(["UTC", "-12", "+1400", "CET"]))
        lines.append(form.format(time=time, day=time[:10], year=time[:4], zone=zone, digits=data.draw(_DIGITS)))
    log = "".join(lines).encode()
    file = FileRef(
        account="1" * 12,
        region="eu-central-1",
        dbi_resource_id="db-1",
        instance_id="orders-1",
        engine="mysql",
        log_type=log_type,
        file="f",
    )
    segment = SegmentCommitted(file=file, generation="g", start=0, end=len(log), key="k", time_zone=data.draw(_ZONES))
    records = parse(segment_of(segment), log)
    files = lake_files(segment, records)
    assert bytes_of(records) == log
    assert manifest_of(segment, records, files).records == records.height
    assert len(list(documents(records))) == records.height


def test_statement_that_began_at_no_time_there_is_keeps_its_record() -> None:
    log = (
        b"# Time: 2026-11-21T06:30:00.000000Z\n# User@Host: app[app] @  [10.0.0.1]  Id: 1\n"
        b"# Query_time: 1.5  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 10\nSET timestamp=9223372036854;\nSELECT 1;\n"
    )
    [row] = list(parse(a_segment(LogType.MYSQL_SLOW, log), log).iter_rows(named=True))
    assert (row["statement_time"], row["parse_reason"], row["query"]) == (None, "time_impossible", "SELECT 1")
    assert row["event_time"] is not None
