"""Findings as CSV, as spreadsheets open it."""

import csv
import io
import json
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import how

# What makes a spreadsheet take a cell for a formula: https://owasp.org/www-community/attacks/CSV_Injection, with the
# full-width forms that East Asian ones read alike.
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - just these

COLUMNS: Final = (
    "account", "region", "check", "requires", "severity", "status", "judged", "kind", "name", "arn", "reason",
    "observed", "expected", "since", "before", "owner", "expires", "excuse", "how", "run", "time",
)  # fmt: skip


def as_csv(report: Report) -> bytes:
    """Return the findings, the worst first, under a line of COLUMNS, as UTF-8 with a byte order mark for Excel.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    lines.writerow(COLUMNS)
    for row in report.rows:
        cells = _cells(row)
        lines.writerow([_safe(cells[column]) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _cells(row: FindingRow) -> dict[str, Any]:
    check = catalogue()[row.check]
    return row.model_dump(mode="json") | {
        "requires": check.title,
        "how": how(check),
        "observed": json.dumps(row.observed, ensure_ascii=False, sort_keys=True),
        "expected": json.dumps(row.expected, ensure_ascii=False, sort_keys=True),
    }


def _safe(cell: str | None) -> str:
    text = cell or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
