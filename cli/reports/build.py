"""From the names of runs to a file: gathers, judges, draws and writes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.reports.days import day_rows, lake_files, read_days, trends
from cli.reports.evidence import Evidence, RunArchive
from cli.reports.lake import LakeFigures, read_lake
from cli.reports.page import render
from cli.reports.verdict import Verdict, judge
from cli.target import Target
from firewall_logs.adapters.days import DayReader

PAGE = "report.html"


@dataclass(frozen=True)
class Report:
    """A report that was written, and what it says."""

    path: Path
    evidence: Evidence
    verdict: Verdict
    lake: LakeFigures


def archive(target: Target) -> RunArchive:
    """Return the archive of an environment's runs.

    Raises:
        NotDeployed: The stack does not exist.
    """
    return RunArchive(
        target.client("s3"), runs_bucket=target.output("RunsBucketName"), lake_bucket=target.output("LakeBucketName")
    )


def build(target: Target, run_ids: list[str], out: Path) -> Report:
    """Write the report of these runs into a folder.

    Raises:
        NotDeployed: The stack does not exist.
        RunUnknown: One of the runs left no plan.
    """
    evidence = archive(target).gather(run_ids)
    verdict = judge(evidence)
    s3, bucket = target.client("s3"), target.output("LakeBucketName")
    states = list(DayReader(target.client("dynamodb"), target.output("FirewallDaysTableName")).all())
    days = read_days(s3, bucket)
    lake = read_lake(s3, bucket, lake_files(evidence.manifests.values(), days))
    page = render(
        evidence,
        verdict,
        lake,
        days=day_rows(days, states),
        trends=trends(days),
        environment=target.environment,
        made_at=datetime.now(UTC),
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / PAGE
    path.write_text(page, "utf-8")
    return Report(path, evidence, verdict, lake)
