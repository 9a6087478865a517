import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import polars as pl
import pytest
from botocore.validate import ParamValidator

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.asff import as_asff
from data_protection.reports.csv_report import COLUMNS, as_csv
from data_protection.reports.files import files
from data_protection.reports.history import HISTORY, as_parquet
from data_protection.reports.json_report import as_json
from data_protection.reports.junit import as_junit
from data_protection.reports.ocsf import as_ocsf, event
from data_protection.reports.report import Report
from data_protection.verdicts import Status
from tests.support.data_protection_account import operation
from tests.support.data_protection_reports import conflict, excepted, exception, look, past, report, row
from tests.support.ocsf import problems

HOSTILE = "=cmd|'/c calc'!A1\x00\x1b[31m\u202e\uffff<script>&\"]]>"


def everything() -> Report:
    """Return a report with each status of each check, some of it hostile."""
    rows = [
        excepted(check, status.value) if status is Status.EXCEPTED else row(check, status, status.value)
        for check in catalogue()
        for status in Status
    ]
    hostile = row("DDB-PITR", Status.FAIL, HOSTILE, reason=HOSTILE * 200, observed={"name": HOSTILE})
    return report(
        look(
            [*rows, hostile],
            past=[past(1, 1, 1)],
            former=rows[:5],
            conflicts=[conflict()],
            exceptions=[exception(HOSTILE, aimed=False)],
        ),
        look([], region="eu-west-1"),
        failures=["123456789012 in eu-west-2: AccessRefused: " + HOSTILE],
    )


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_same_findings_become_the_same_files() -> None:
    assert files(everything()) == files(everything())
    assert as_parquet(everything()) == as_parquet(everything())


def test_json_tells_score_changes_and_every_finding() -> None:
    found = everything()
    told = json.loads(as_json(found))

    assert told["score"]["percent"] == found.score.percent
    assert len(told["findings"]) == len(found.rows)
    assert {one["id"] for one in told["findings"]} >= set(told["changes"]["broken"])
    assert told["compliant"] is False
    assert told["compared"] == ["daily-1-ago"]
    assert [one["name"] for one in told["misaimed_exceptions"]] == [HOSTILE]
    assert told["conflicts"][0]["conflict"] == "RPO-PITR"


def test_title_of_a_failure_is_taken_for_a_requirement_or_for_what_is_wrong_and_never_for_the_opposite() -> None:
    check, off = catalogue()["DDB-PITR"], "Point-in-time recovery is off."
    found = report(look([row(check.id, Status.FAIL, reason=off)]))
    [event_], [batch], [line] = lines(as_ocsf(found)), lines(as_asff(found)), rows_of(as_csv(found))
    [asff] = batch["Findings"]
    failure = ET.fromstring(as_junit(found)).find(".//failure")  # noqa: S314 - our own
    assert failure is not None

    assert event_["finding_info"]["title"] == f"{check.id}: {off}"
    assert event_["finding_info"]["desc"].startswith(f"Requires: {check.title}. ")
    assert asff["Title"] == f"{check.id} requires: {check.title}"
    assert asff["Description"].startswith(off)
    assert failure.attrib["message"] == off
    assert str(failure.text).startswith(f"Requires: {check.title}. ")
    assert (line["requires"], line["reason"]) == (check.title, off)
    [told] = json.loads(as_json(found))["findings"]
    assert (told["requires"], told["reason"]) == (check.title, off)


@pytest.mark.parametrize("check", catalogue())
def test_every_format_names_the_runbook_of_a_failure(check: str) -> None:
    for name, (content, _) in files(report(look([row(check, Status.FAIL)]))).items():
        assert f"docs/checks/{check}.md" in content.decode(), name


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])  # noqa: RUF001 - full width
def test_no_cell_of_the_csv_is_a_formula(name: str) -> None:
    (line,) = rows_of(as_csv(report(look([row("DDB-PITR", Status.FAIL, name, reason=name)]))))

    assert line["name"] == line["reason"] == f"'{name}"


def test_csv_holds_what_was_found() -> None:
    found = everything()
    told = rows_of(as_csv(found))

    assert list(told[0]) == list(COLUMNS)
    assert [line["status"] for line in told] == [one.status.value for one in found.rows]
    assert {json.loads(line["observed"])["name"] for line in told if "name" in line["observed"]} == {HOSTILE}


def test_junit_counts_failures_errors_and_what_is_skipped() -> None:
    root = ET.fromstring(as_junit(everything()))  # noqa: S314 - our own
    suite, empty, failed = root.findall("testsuite")
    checks = len(catalogue())

    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {
        "tests": 6 * checks + 1,
        "failures": 2 * checks + 1,
        "errors": checks,
        "skipped": 2 * checks,
    }
    assert empty.attrib["tests"] == "0"
    assert failed.attrib["errors"] == "1"


def test_every_finding_is_valid_ocsf() -> None:
    found = everything()
    events = lines(as_ocsf(found))

    assert len(events) == len(found.rows)
    assert [problem for one in events for problem in problems(one, "compliance_finding")] == []


def test_ocsf_schema_refuses_what_is_wrong() -> None:
    wrong = event(row("DDB-PITR", Status.FAIL)) | {"activity_id": 7, "compliance": {"status_id": 3}, "nonsense": 1}

    assert len(problems(wrong, "compliance_finding")) == 3


@pytest.mark.parametrize(
    ("finding", "compliance", "status", "activity"),
    [
        (row("DDB-PITR", Status.FAIL), 3, "New", "Create"),
        (row("DDB-PITR", Status.PASS, before=Status.FAIL), 1, "Resolved", "Close"),
        (row("DDB-PITR", Status.PASS, before=Status.PASS), 1, "Resolved", "Update"),
        (row("DDB-PITR", Status.UNKNOWN, before=Status.PASS), 2, "New", "Update"),
        (excepted("DDB-PITR"), 3, "Suppressed", "Create"),
    ],
    ids=["failed", "fixed", "still passes", "unknown", "excepted"],
)
def test_ocsf_says_what_became_of_a_finding(finding: FindingRow, compliance: int, status: str, activity: str) -> None:
    told = event(finding)

    assert (told["compliance"]["status_id"], told["status"], told["activity_name"]) == (compliance, status, activity)


def test_security_hub_takes_every_batch() -> None:
    found = everything()
    batches = lines(as_asff(found))
    model = operation("securityhub", "BatchImportFindings").input_shape
    assert model is not None

    assert sum(len(batch["Findings"]) for batch in batches) == len(found.rows)
    for batch in batches:
        report_ = ParamValidator().validate(batch, model)
        assert not report_.has_errors(), report_.generate_report()
        assert len(batch["Findings"]) <= 100
        for one in batch["Findings"]:
            # What botocore does not check: the limits in the API's reference, and 240 KB a finding.
            assert len(one["Title"]) <= 256
            assert len(one["Description"]) <= 1024
            assert len(one["Id"]) <= 512
            assert len(one["Remediation"]["Recommendation"]["Text"]) <= 512
            assert len(one["Resources"][0]["Id"]) <= 512
            assert len(one["Compliance"].get("RelatedRequirements", [])) <= 32
            assert len(json.dumps(one)) < 240_000


def test_security_hub_hears_of_an_exception_as_suppressed_and_of_a_gap_as_not_available() -> None:
    content = as_asff(report(look([excepted("DDB-PITR"), row("DDB-TTL", Status.UNKNOWN)])))
    first, second = lines(content)[0]["Findings"]

    assert (first["Workflow"]["Status"], first["Compliance"]["Status"]) == ("SUPPRESSED", "FAILED")
    assert (second["Workflow"]["Status"], second["Compliance"]["Status"]) == ("NEW", "NOT_AVAILABLE")


def test_history_has_its_schema_also_where_nothing_was_found() -> None:
    for found in (everything(), report()):
        assert pl.read_parquet(as_parquet(found)).schema == HISTORY


def test_history_of_runs_answers_since_when_something_fails(tmp_path: Path) -> None:
    for day, status in (("2026-11-20", Status.PASS), ("2026-11-21", Status.FAIL)):
        file = tmp_path / f"date={day}" / f"daily-{day}.parquet"
        file.parent.mkdir()
        file.write_bytes(as_parquet(report(look([row("DDB-PITR", status), excepted("DDB-TTL")]))))

    answer = duckdb.execute(
        f"""
        select date, status
        from read_parquet('{tmp_path}/*/*.parquet', hive_partitioning = true)
        where "check" = 'DDB-PITR' order by date
        """  # noqa: S608 - a folder of ours
    ).fetchall()

    assert [(str(day), status) for day, status in answer] == [("2026-11-20", "pass"), ("2026-11-21", "fail")]
