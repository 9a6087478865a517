"""`gatehouse results` and `gatehouse assessments` over the executions that Step Functions remembers."""

from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.target import Target
from data_protection.locations import lock_prefix, simulation_key
from tests.unit.cli.remembered import Past, Remembered, at

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LAKE = "lake"
MACHINES = ("assess_account", "create_secure_resources", "drill_restore", "forecast_lifecycle", "lock_objects")
HASH = "ab" * 32
REPORT = {
    "percent": 75,
    "coverage": 80,
    "counts": {"pass": 3, "fail": 1, "warn": 0, "unknown": 1, "excepted": 0, "not_applicable": 2},
    "places": 2,
    "prefix": "data_protection/reports/date=2026-11-22/run=daily-2/",
}
REFUSED = "123456789012 in eu-west-1: AccessRefused: The role of 123456789012 cannot be assumed"


@pytest.fixture
def states(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Remembered:
    made = Remembered([*MACHINES, "process_objects"])
    clients: dict[str, Any] = {"s3": s3, "stepfunctions": made}
    monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, clients.__getitem__, cloud))
    monkeypatch.setattr(Target, "output", lambda _, key: {"LakeBucketName": LAKE}[key])
    return made


def gatehouse(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def rows(*arguments: str) -> list[list[str]]:
    ended = gatehouse(*arguments)
    assert ended.exit_code == 0, ended.stderr
    return [line.split("\t") for line in ended.stdout.splitlines()]


def simulated(**more: Any) -> dict[str, Any]:
    said = {"simulation": HASH, "locked": 4, "size": 3 * 1024**2, "until": "2027-11-22T05:00:00Z", "refused": 0}
    return {**said, "approvers": 2, "prefix": "", **more}


def forecast(**more: Any) -> dict[str, Any]:
    return {"lifecycle_usd": 12.5, "saving_percent": 47.3, "losing_rules": [], "standard_usd": 23.7, **more}


def drilled(**more: Any) -> dict[str, Any]:
    return {"table": "messages", "seconds": 1_830, "items": 1_200, "all_counted": True, "key": "", **more}


@pytest.mark.parametrize(
    ("machine", "given", "output", "told"),
    [
        (
            "assess_account",
            {},
            {"report": REPORT},
            "Score 75 %, coverage 80 %: 3 pass, 1 fail, 1 unknown, 2 not_applicable",
        ),
        (
            "forecast_lifecycle",
            {"bucket": "audio"},
            forecast(),
            "audio costs 12.50 USD in seven years, 47.3 % less than in STANDARD",
        ),
        (
            "forecast_lifecycle",
            {"bucket": "audio"},
            forecast(saving_percent=-3, losing_rules=["tiers", "old"]),
            "audio costs 12.50 USD in seven years, 3 % more than in STANDARD; rules that lose money: tiers, old",
        ),
        (
            "forecast_lifecycle",
            {"bucket": "audio"},
            forecast(saving_percent=0),
            "audio costs 12.50 USD in seven years, as much as in STANDARD",
        ),
        (
            "lock_objects",
            {"bucket": "recordings"},
            simulated(),
            "4 versions of recordings would become undeletable, 3 MB, the last until 2027-11-22",
        ),
        (
            "lock_objects",
            {"bucket": "recordings"},
            simulated(locked=0, size=0, until=None, refused=2),
            "0 versions of recordings would become undeletable; 2 would be refused",
        ),
        (
            "lock_objects",
            {"apply": HASH},
            {"outcomes": {"set": 4, "gone": 0}, "later": {"already": 1}},
            "Every version is accounted for: 4 set; of those written meanwhile: 1 already",
        ),
        (
            "drill_restore",
            {"table": "messages"},
            drilled(),
            "messages was restored in 1,830 s, within its objective of 60 minutes; 1,200 items counted",
        ),
        (
            "drill_restore",
            {"table": "messages", "rto_minutes": 30},
            drilled(items=1, all_counted=False),
            "messages was restored in 1,830 s, beyond its objective of 30 minutes; 1 item counted, which are not all",
        ),
        (
            "create_secure_resources",
            {"request": "shop"},
            {"calls": 12, "counts": {"missing": 3, "halfway": 0, "same": 1}},
            "12 calls would be made; resources: 3 missing, 1 same",
        ),
        (
            "create_secure_resources",
            {"request": "shop", "apply": True},
            {"created": 3, "statuses": {"pass": 30, "fail": 0, "warn": 2}},
            "3 resources made as asked; findings: 30 pass, 2 warn",
        ),
    ],
)
def test_runs_are_told_in_a_line(
    states: Remembered, machine: str, given: dict[str, Any], output: dict[str, Any], told: str
) -> None:
    states.past = [Past(machine, "by-hand", at(22), input=given, output=output)]
    assert rows("results")[1:] == [["by-hand", machine, "2026-11-22 05:00", told]]


def test_runs_of_every_kind_are_listed_the_latest_first_with_those_that_failed_or_go_on(states: Remembered) -> None:
    states.past = [
        Past("drill_restore", "old", at(20), input={"table": "messages"}, output={"table": "messages"}),
        Past("assess_account", "daily", at(21), "FAILED", error="AssessmentIncomplete", cause=f"{REFUSED}."),
        Past("forecast_lifecycle", "now", at(22), "RUNNING"),
        Past("process_objects", "other", at(23), output={}),
    ]
    names, *found = rows("results")
    assert names == ["run", "machine", "began", "came to"]
    assert [row[0] for row in found] == ["now", "daily", "old"]
    assert [row[3] for row in found] == [
        "running",
        f"failed: AssessmentIncomplete: {REFUSED}",
        "succeeded: the output of its release has no 'seconds'",
    ]
    assert [row[0] for row in rows("results", "--most", "2")[1:]] == ["now", "daily"]


@pytest.mark.parametrize(
    ("past", "prefix", "files", "first"),
    [
        (
            Past("assess_account", "x", at(22), "FAILED"),
            "data_protection/reports/date=2026-11-22/run=x/",
            ("findings.csv", "index.html", "report.json"),
            "index.html",
        ),
        (
            # As boto3 has it of the local time; the keys have the day in UTC.
            Past(
                "forecast_lifecycle",
                "x",
                at(22, 23).astimezone(timezone(timedelta(hours=2))),
                input={"bucket": "audio"},
                output=forecast(),
            ),
            "data_protection/forecasts/date=2026-11-22/run=x/",
            ("index.html", "plan.json", "report.json"),
            "index.html",
        ),
        (
            Past("drill_restore", "x", at(22), "FAILED", input={"table": "messages"}),
            "data_protection/drills/table=messages/date=2026-11-22/run=x/",
            ("count.json", "drill.json", "result.json"),
            "result.json",
        ),
        (
            Past("create_secure_resources", "x", at(22), input={"request": "shop"}, output={"calls": 0, "counts": {}}),
            "data_protection/creations/date=2026-11-22/run=x/",
            ("plan.json", "request.json"),
            "plan.json",
        ),
        (
            Past("lock_objects", "x", at(22), input={"bucket": "recordings"}, output=simulated()),
            f"data_protection/locking/simulation={HASH}/",
            ("index.html", "simulation.json"),
            "index.html",
        ),
        (
            Past("lock_objects", "x", at(22), "FAILED", input={"apply": HASH}),
            f"data_protection/locking/lock={HASH}/reports/x/",
            ("index.html", "report.json"),
            "index.html",
        ),
    ],
)
def test_report_of_a_run_is_fetched_and_what_to_open_is_named(
    states: Remembered, s3: "S3Client", tmp_path: Path, *, past: Past, prefix: str, files: tuple[str, ...], first: str
) -> None:
    states.past = [past]
    for name in (*files, "worked/on.json"):
        s3.put_object(Bucket=LAKE, Key=f"{prefix}{name}", Body=name.encode())
    ended = gatehouse("results", "x", "--out", str(tmp_path))
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.replace("\n", "") == str(tmp_path / "x" / first)
    assert {path.name: path.read_text() for path in (tmp_path / "x").iterdir()} == {name: name for name in files}


def test_run_without_a_report_and_one_that_is_not_known_are_told_in_a_sentence(
    states: Remembered, tmp_path: Path
) -> None:
    states.past = [
        Past(
            "lock_objects",
            "early",
            at(22),
            "FAILED",
            input={"bucket": "x"},
            error="LockRefused",
            cause="It is a log target.",
        ),
        Past(
            "drill_restore",
            "wrong",
            at(22),
            "FAILED",
            input=["table"],
            error="ValidationError",
            cause="`table` is missing.",
        ),
        Past("forecast_lifecycle", "now", at(22), "RUNNING", input={"bucket": "x"}),
    ]
    for run, told in (
        ("early", "The run early of lock_objects has kept no report: failed: LockRefused: It is a log target."),
        ("wrong", "The run wrong of drill_restore has kept no report: failed: ValidationError: `table` is missing."),
        ("now", "The run now of forecast_lifecycle has kept no report: running."),
        ("other", "There is no run other of the last 90 days: `gatehouse results --env local` lists them."),
    ):
        ended = gatehouse("results", run, "--out", str(tmp_path))
        assert (ended.exit_code, told in ended.stderr) == (1, True), ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_reports_of_older_runs_are_is_said_of_locks_as_well(states: Remembered) -> None:
    said = gatehouse("results", "old").stderr
    assert "s3://lake/data_protection/, in folders run=old; those of locks in " in said
    assert "locking/simulation=<hash>/ and locking/lock=<hash>/reports/old/" in said
    for prefix in (simulation_key(HASH).removesuffix("simulation.json"), f"{lock_prefix(HASH)}reports/old/"):
        assert prefix.replace(HASH, "<hash>").removeprefix("data_protection/") in said


def test_report_is_found_though_a_run_of_another_machine_bears_the_name_and_has_none(
    states: Remembered, s3: "S3Client", tmp_path: Path
) -> None:
    failed = Past("assess_account", "friday", at(21), "FAILED", error="EstateInvalid", cause="It is no JSON.")
    states.past = [failed, Past("lock_objects", "friday", at(22), input={"bucket": "b"}, output=simulated())]
    would = "4 versions of b would become undeletable, 3 MB, the last until 2027-11-22"
    ended = gatehouse("results", "friday", "--out", str(tmp_path))
    assert ended.stderr.splitlines() == [
        "✗ The run friday of assess_account has kept no report: failed: EstateInvalid: It is no JSON.",
        f"The run friday of lock_objects has kept no report: {would}.",
    ]
    s3.put_object(Bucket=LAKE, Key=f"data_protection/locking/simulation={HASH}/index.html", Body=b"lock")
    ended = gatehouse("results", "friday", "--out", str(tmp_path))
    assert (ended.exit_code, ended.stdout.strip()) == (0, str(tmp_path / "friday" / "index.html"))
    assert "The report of friday of lock_objects is fetched." in ended.stderr
    assert (tmp_path / "friday" / "index.html").read_bytes() == b"lock"


def test_reports_of_several_machines_for_one_name_are_all_fetched(
    states: Remembered, s3: "S3Client", tmp_path: Path
) -> None:
    states.past = [
        Past("assess_account", "friday", at(21), output={"places": [], "report": REPORT}),
        Past("lock_objects", "friday", at(22), input={"bucket": "b"}, output=simulated()),
    ]
    s3.put_object(Bucket=LAKE, Key="data_protection/reports/date=2026-11-21/run=friday/index.html", Body=b"assessed")
    s3.put_object(Bucket=LAKE, Key=f"data_protection/locking/simulation={HASH}/index.html", Body=b"locked")
    ended = gatehouse("results", "friday", "--out", str(tmp_path))
    pages = [tmp_path / "friday" / machine / "index.html" for machine in ("assess_account", "lock_objects")]
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == [str(page) for page in pages]
    assert [page.read_bytes() for page in pages] == [b"assessed", b"locked"]
    assert gatehouse("assessments", "friday", "--out", str(tmp_path / "one")).exit_code == 0
    assert (tmp_path / "one" / "friday" / "index.html").read_bytes() == b"assessed"


def test_assessments_are_listed_with_the_score_over_all_places_that_each_has_assessed(states: Remembered) -> None:
    incomplete = {**REPORT, "percent": None, "places": 1}
    states.past = [
        Past(
            "assess_account",
            "daily-1",
            at(19),
            "FAILED",
            error="AssessmentIncomplete",
            cause=f"{REFUSED}.",
            answers=[
                {"places": [], "whole_profiles": []},
                {"percent": 1, "coverage": 2, "calls": 3},
                incomplete,
            ],
        ),
        Past("assess_account", "daily-2", at(20), output={"places": [], "report": REPORT}),
        Past("assess_account", "daily-3", at(21), "FAILED", error="EstateInvalid", cause="It is no JSON."),
        Past("assess_account", "daily-4", at(22), "RUNNING", answers=[{"places": []}]),
    ]
    names, *found = rows("assessments")
    statuses = ["pass", "fail", "warn", "unknown", "excepted"]
    assert names == ["run", "began", "ended", "places", "score", "coverage", *statuses, "why"]
    assert found == [
        ["daily-4", "2026-11-22 05:00", "running", *[""] * 9],
        ["daily-3", "2026-11-21 05:00", "failed", *[""] * 8, "EstateInvalid: It is no JSON"],
        ["daily-2", "2026-11-20 05:00", "succeeded", "2", "75 %", "80 %", "3", "1", "0", "1", "0", ""],
        [
            "daily-1",
            "2026-11-19 05:00",
            "failed",
            "1",
            "none",
            "80 %",
            *("3", "1", "0", "1", "0"),
            f"AssessmentIncomplete: {REFUSED}",
        ],
    ]
    assert len(rows("assessments", "--most", "1")) == 2


def test_assessments_of_other_releases_are_listed_with_what_they_have_and_hide_no_other(
    states: Remembered, s3: "S3Client", tmp_path: Path
) -> None:
    partial = {"coverage": 90, "counts": {"pass": 2}}
    states.past = [
        Past("assess_account", "daily-1", at(19), output={"places": [], "report": REPORT}),
        Past("assess_account", "daily-2", at(20), output={"places": [], "report": partial}),
        Past("assess_account", "daily-3", at(21), output={"places": []}),
    ]
    assert [(row[0], *row[3:]) for row in rows("assessments")[1:]] == [
        ("daily-3", *[""] * 8, "the output of its release has no 'report'"),
        ("daily-2", "", "", "90 %", "2", *[""] * 4, "the output of its release has no 'percent'"),
        ("daily-1", "2", "75 %", "80 %", "3", "1", "0", "1", "0", ""),
    ]
    assert [row[3] for row in rows("results")[1:]] == [
        "succeeded: the output of its release has no 'report'",
        "succeeded: the output of its release has no 'percent'",
        "Score 75 %, coverage 80 %: 3 pass, 1 fail, 1 unknown, 2 not_applicable",
    ]
    s3.put_object(Bucket=LAKE, Key="data_protection/reports/date=2026-11-20/run=daily-2/index.html", Body=b"page")
    assert gatehouse("assessments", "latest", "--out", str(tmp_path)).exit_code == 0
    assert (tmp_path / "daily-2" / "index.html").exists()


def test_simulation_of_another_release_is_told_to_have_no_report(states: Remembered, tmp_path: Path) -> None:
    states.past = [Past("lock_objects", "old", at(22), input={"bucket": "recordings"}, output={"size": 0})]
    ended = gatehouse("results", "old", "--out", str(tmp_path))
    told = "The run old of lock_objects has kept no report: succeeded: the output of its release has no 'locked'."
    assert (ended.exit_code, told in ended.stderr) == (1, True), ended.stderr


def test_latest_assessment_is_the_latest_that_has_a_report(states: Remembered, s3: "S3Client", tmp_path: Path) -> None:
    ended = gatehouse("assessments", "latest", "--out", str(tmp_path))
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "Nothing was assessed in 90 days: gatehouse run assess_account --env local" in ended.stderr
    states.past = [
        Past("assess_account", "daily-1", at(20), output={"places": [], "report": REPORT}),
        Past("assess_account", "daily-2", at(21), "FAILED", error="EstateInvalid", cause="It is no JSON."),
        Past("drill_restore", "drill", at(22), input={"table": "messages"}, output=drilled()),
    ]
    s3.put_object(Bucket=LAKE, Key="data_protection/reports/date=2026-11-20/run=daily-1/index.html", Body=b"page")
    assert gatehouse("assessments", "latest", "--out", str(tmp_path)).exit_code == 0
    assert (tmp_path / "daily-1" / "index.html").read_bytes() == b"page"
    assert "There is no run drill" in gatehouse("assessments", "drill", "--out", str(tmp_path)).stderr


def test_latest_assessment_is_found_behind_however_many_that_failed_and_nothing_is_read_behind_it(
    states: Remembered, s3: "S3Client", tmp_path: Path
) -> None:
    failed = [
        Past("assess_account", f"bad-{hour}", at(2) + timedelta(hours=hour), "FAILED", error="EstateInvalid")
        for hour in range(40)
    ]
    states.past = failed
    ended = gatehouse("assessments", "latest", "--out", str(tmp_path))
    told = "40 runs of assess_account in 90 days, and no report: `gatehouse assessments --env local` says why."
    assert (ended.exit_code, told in ended.stderr) == (1, True), ended.stderr
    earlier = [Past("assess_account", name, at(1, hour), output={"report": REPORT}) for hour, name in enumerate("ab")]
    states.past, states.described = [*failed, *earlier], []
    s3.put_object(Bucket=LAKE, Key="data_protection/reports/date=2026-11-01/run=b/index.html", Body=b"page")
    assert gatehouse("assessments", "latest", "--out", str(tmp_path)).exit_code == 0
    assert (tmp_path / "b" / "index.html").exists()
    assert "a" not in states.described
