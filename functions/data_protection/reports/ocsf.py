"""Findings as OCSF 1.3.0 Compliance Finding (class 2003) with the profile cloud.

Source: https://schema.ocsf.io/1.3.0/classes/compliance_finding. There, Warning is a check without result for lack of
information, so that is what unknown is; our warning is met but weaker than asked, which OCSF leaves to Other.
"""

import json
from datetime import datetime
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import how, identity, requires
from data_protection.verdicts import Status

OCSF_VERSION: Final = "1.3.0"

_CLASS: Final = 2003
_COMPLIANCE: Final = {
    Status.PASS: (1, "Pass"),
    Status.UNKNOWN: (2, "Warning"),
    Status.FAIL: (3, "Fail"),
    Status.WARN: (99, "warn"),
    Status.NOT_APPLICABLE: (99, "not_applicable"),
}
_SEVERITY: Final = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_NEW, _SUPPRESSED, _RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")


def as_ocsf(report: Report) -> bytes:
    """Return the findings as JSON lines, an event each."""
    lines = (json.dumps(event(row), ensure_ascii=False, allow_nan=False) for row in report.rows)
    return "".join(f"{line}\n" for line in lines).encode()


def event(row: FindingRow) -> dict[str, Any]:
    """Return the event of a finding; times are milliseconds since 1970."""
    check = catalogue()[row.check]
    activity_id, activity = _activity(row)
    severity_id, severity = _SEVERITY[row.severity]
    compliance_id, compliance = _COMPLIANCE[row.judged]
    status_id, status = _status(row)
    return {
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": _CLASS * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": _milliseconds(row.time),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": row.reason,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {"name": "Gatehouse", "vendor_name": "Gatehouse", "feature": {"name": "data_protection"}},
            "correlation_uid": row.run,
        },
        "cloud": {
            "provider": "AWS",
            "region": row.region,
            "account": {"uid": row.account, "type_id": 10, "type": "AWS Account"},
        },
        "finding_info": {
            "uid": identity(row),
            # "A title or a brief phrase summarizing the reported finding", so what was seen and not what is asked.
            "title": f"{row.check}: {row.reason}",
            "desc": f"{requires(check)} {check.why}",
            "types": [row.check],
            "created_time": _milliseconds(row.since),
            "modified_time": _milliseconds(row.time),
        },
        "compliance": {
            "control": row.check,
            "standards": sorted(check.controls) or ["Gatehouse"],
            "requirements": [f"{one} {name}" for one, names in sorted(check.controls.items()) for name in names],
            "status_id": compliance_id,
            "status": compliance,
            "status_code": row.status.value,
            "status_detail": row.reason,
        },
        "resources": [
            {
                "uid": row.arn,
                "name": row.name,
                "type": row.kind,
                "region": row.region,
                "cloud_partition": row.arn.split(":")[1],
            }
        ],
        "remediation": {"desc": how(check)},
    }


def _activity(row: FindingRow) -> tuple[int, str]:
    if row.before is None:
        return _CREATE
    done = {Status.PASS, Status.NOT_APPLICABLE}
    return _CLOSE if row.status in done and row.before not in done else _UPDATE


def _status(row: FindingRow) -> tuple[int, str]:
    if row.status is Status.EXCEPTED:
        return _SUPPRESSED
    return _RESOLVED if row.status in {Status.PASS, Status.NOT_APPLICABLE} else _NEW


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
