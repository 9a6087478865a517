"""ReportAssessment's work: what all places of a run were found to be, told in files."""

from typing import TYPE_CHECKING

from data_protection.contracts import AssessmentReported, ReportAssessment
from data_protection.locations import history_key, reports_prefix
from data_protection.reports.files import files
from data_protection.reports.history import as_parquet
from data_protection.reports.report import Report

if TYPE_CHECKING:
    from data_protection.adapters.reports import ReportStore


class Reporter:
    """Reports runs.

    Args:
        store: Holds findings, and keeps reports.
        environment: Of the deployment.
    """

    def __init__(self, store: "ReportStore", environment: str) -> None:
        self._store = store
        self._environment = environment

    def report(self, asked: ReportAssessment) -> AssessmentReported:
        """Report a run; reported again, the same findings become the same files."""
        looks = self._store.looks(asked.run, asked.time)
        report = Report(asked.run, asked.time, self._environment, looks, asked.failures, asked.whole_profiles)
        prefix = reports_prefix(asked.run, report.day)
        for name, (content, media_type) in files(report).items():
            self._store.write(f"{prefix}{name}", content, media_type)
        self._store.write(history_key(asked.run, report.day), as_parquet(report), "application/vnd.apache.parquet")
        return AssessmentReported(
            percent=report.score.percent,
            coverage=report.score.coverage,
            counts=report.score.counts,
            places=len(report.looks),
            failed=len(report.failures),
            misaimed_exceptions=len(report.misaimed),
            ended_exceptions=len(report.ended),
            prefix=prefix,
        )
