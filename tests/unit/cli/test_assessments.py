"""`gatehouse assessments` over what runs of assess_account have kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.target import Target
from data_protection.adapters.findings import FindingStore
from data_protection.assessments import score
from data_protection.contracts import AssessPlace, PlaceRef
from data_protection.locations import reports_prefix
from data_protection.verdicts import Status
from kernel import aws
from tests.support.aws import LAKE
from tests.support.data_protection_drift import ACCOUNT, FINDINGS, Watched, client, watched

TIME = datetime(2026, 11, 21, 5, tzinfo=UTC)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    outputs = {"LakeBucketName": LAKE, "ProtectionFindingsTableName": FINDINGS}
    with watched() as made:
        clients = {"s3": aws.s3(), "dynamodb": client("dynamodb"), "sts": client("sts")}
        monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, clients.__getitem__, cloud))
        monkeypatch.setattr(Target, "output", lambda _, key: outputs[key])
        yield made


def assessed(run: str, days: int, region: str, *statuses: Status) -> None:
    """Keep the score of a run in a place, and its report."""
    time = TIME + timedelta(days=days)
    asked = AssessPlace(run=run, time=time, place=PlaceRef(account=ACCOUNT, region=region))
    FindingStore(aws.s3(), LAKE, aws.dynamodb(), FINDINGS).keep(
        asked, [], score(statuses), profile="rfc-008", expires=2_000_000_000
    )
    for name in ("index.html", "report.json"):
        aws.s3().put_object(Bucket=LAKE, Key=f"{reports_prefix(run, time.date())}{name}", Body=f"{run} {name}".encode())


def gatehouse(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["assessments", *arguments])


def test_runs_are_listed_with_one_score_over_all_their_places(account: Watched) -> None:
    regions = ["eu-central-1", "eu-west-1"]
    account.estate({"accounts": [{"account": ACCOUNT, "regions": regions}]})
    assessed("daily-1", 0, regions[0], Status.FAIL)
    assessed("daily-2", 1, regions[0], Status.PASS, Status.PASS, Status.FAIL)
    assessed("daily-2", 1, regions[1], Status.PASS, Status.UNKNOWN)

    names, *rows = [line.split("\t") for line in gatehouse().stdout.splitlines()]

    assert names == ["run", "began", "places", "score", "coverage", "pass", "fail", "warn", "unknown", "excepted"]
    assert rows == [
        ["daily-2", "2026-11-22 05:00", "2", "75 %", "80 %", "3", "1", "0", "1", "0"],
        ["daily-1", "2026-11-21 05:00", "1", "0 %", "100 %", "0", "1", "0", "0", "0"],
    ]
    assert len(gatehouse("--most", "1").stdout.splitlines()) == 2


@pytest.mark.usefixtures("account")
def test_report_of_a_run_is_fetched_and_its_page_named(tmp_path: Path) -> None:
    assessed("daily-1", 0, "eu-central-1", Status.FAIL)
    assessed("daily-11", 1, "eu-central-1", Status.FAIL)

    for run, given in (("daily-1", "daily-1"), ("daily-11", "latest")):
        ended = gatehouse(given, "--out", str(tmp_path))
        assert ended.exit_code == 0
        assert ended.stdout.replace("\n", "") == str(tmp_path / run / "index.html")
        assert (tmp_path / run / "index.html").read_text() == f"{run} index.html"
        assert (tmp_path / run / "report.json").exists()


@pytest.mark.usefixtures("account")
def test_what_was_never_assessed_is_told_in_a_sentence(tmp_path: Path) -> None:
    for given, told in (("latest", "Nothing was assessed yet: gatehouse run"), ("x", "There is no report of a run x")):
        ended = gatehouse(given, "--out", str(tmp_path))
        assert (ended.exit_code, told in ended.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
