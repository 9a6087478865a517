"""A report as JSON: all that the page says, for programs."""

import json
from typing import Any

from data_protection.assessments import Score
from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import identity


def as_json(report: Report) -> bytes:
    """Return the report as a JSON object.

    Of a finding there is all that is kept of it (`contracts.FindingRow`) with its identity, and of its check what it
    requires, its controls and its phase. `changes` names findings by identity, against the runs in `compared`; `gone`
    ones are not among the findings any more.
    """
    changes = report.changes
    body = {
        "run": report.run,
        "time": report.time.isoformat(),
        "compliant": report.compliant,
        "score": _score(report.score),
        "places": [
            {"account": look.account, "region": look.region, "profile": look.profile, **_score(look.score)}
            for look in report.looks
        ],
        "failed_places": list(report.failures),
        "trend": [
            {"run": point.run, "time": point.time.isoformat(), **_score(point.score)} for point in report.trend.points
        ],
        "compared": [one.run for one in report.compared],
        "changes": {
            name: [identity(row) for row in getattr(changes, name)] for name in ("broken", "fixed", "unknown", "gone")
        },
        "misaimed_exceptions": [
            one.row.model_dump(mode="json") | {"sentence": one.sentence} for one in report.misaimed
        ],
        "ended_exceptions": [row.model_dump(mode="json") for row in report.ended],
        "conflicts": [conflict.model_dump(mode="json") for conflict in report.conflicts],
        "findings": [_finding(row) for row in report.rows],
    }
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _score(score: Score) -> dict[str, Any]:
    counts = {status.value: count for status, count in score.counts.items()}
    return {"percent": score.percent, "coverage": score.coverage, "counts": counts}


def _finding(row: FindingRow) -> dict[str, Any]:
    check = catalogue()[row.check]
    return {
        "id": identity(row),
        **row.model_dump(mode="json"),
        "requires": check.title,
        "controls": check.controls,
        "phase": check.mutator.phase if check.mutator else None,
        "runbook": check.runbook,
    }
