"""The files of a report."""

from data_protection.reports.asff import as_asff
from data_protection.reports.csv_report import as_csv
from data_protection.reports.json_report import as_json
from data_protection.reports.junit import as_junit
from data_protection.reports.ocsf import as_ocsf
from data_protection.reports.page import as_html
from data_protection.reports.report import Report


def files(report: Report) -> dict[str, tuple[bytes, str]]:
    """Return content and media type of each file, by its name."""
    return {
        "index.html": (as_html(report), "text/html; charset=utf-8"),
        "report.json": (as_json(report), "application/json"),
        "findings.csv": (as_csv(report), "text/csv; charset=utf-8"),
        "junit.xml": (as_junit(report), "application/xml"),
        "ocsf.jsonl": (as_ocsf(report), "application/x-ndjson"),
        "asff.jsonl": (as_asff(report), "application/x-ndjson"),
    }
