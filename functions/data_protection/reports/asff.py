"""Findings in the AWS Security Finding Format, as Security Hub's BatchImportFindings takes them.

Source of shapes and limits: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import how, identity, short
from data_protection.resources import Kind
from data_protection.verdicts import Status

_BATCH: Final = 100  # findings a call
_TITLE, _DESCRIPTION, _TEXT, _ID, _FIELD = 256, 1024, 512, 512, 2048  # characters
_REQUIREMENTS: Final = 32

_TYPES: Final = {
    Kind.ACCOUNT: "AwsAccount",
    Kind.TABLE: "AwsDynamoDbTable",
    Kind.BUCKET: "AwsS3Bucket",
    Kind.TRAIL: "AwsCloudTrailTrail",
    Kind.BACKUP_PLAN: "AwsBackupBackupPlan",
    Kind.BACKUP_VAULT: "AwsBackupBackupVault",
    Kind.TOPIC: "AwsSnsTopic",
    Kind.KEY: "AwsKmsKey",
    Kind.SECRET: "AwsSecretsManagerSecret",
    Kind.DATABASE: "AwsRdsDbInstance",
    Kind.ROLE: "AwsIamRole",
}
# NOT_AVAILABLE is a check that AWS' errors kept from being made, and one that cannot apply.
_COMPLIANCE: Final = {
    Status.PASS: "PASSED",
    Status.FAIL: "FAILED",
    Status.WARN: "WARNING",
    Status.UNKNOWN: "NOT_AVAILABLE",
    Status.NOT_APPLICABLE: "NOT_AVAILABLE",
}


def as_asff(report: Report) -> bytes:
    """Return JSON lines, each the input of one call: `aws securityhub batch-import-findings --cli-input-json`.

    A line holds findings of one account and region, at most 100: Security Hub takes only those of its own.
    """
    lines = (json.dumps(batch, ensure_ascii=False, allow_nan=False) for batch in _batches(report))
    return "".join(f"{line}\n" for line in lines).encode()


def _batches(report: Report) -> Iterator[dict[str, Any]]:
    for look in report.looks:
        for start in range(0, len(look.rows), _BATCH):
            yield {"Findings": [finding(row) for row in look.rows[start : start + _BATCH]]}


def finding(row: FindingRow) -> dict[str, Any]:
    """Return a finding; texts that are too long for the format are cut, which the other formats never do."""
    check = catalogue()[row.check]
    partition = row.arn.split(":")[1]
    time, since = _timestamp(row.time), _timestamp(row.since)
    done = row.status in {Status.PASS, Status.NOT_APPLICABLE}
    requirements = [f"{one} {name}" for one, names in sorted(check.controls.items()) for name in names]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": identity(row),
        # Of a custom integration.
        "ProductArn": f"arn:{partition}:securityhub:{row.region}:{row.account}:product/{row.account}/default",
        "ProductName": "Gatehouse",
        "GeneratorId": f"gatehouse/{row.check}",
        "AwsAccountId": row.account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "FirstObservedAt": since,
        "LastObservedAt": time,
        "CreatedAt": since,
        "UpdatedAt": time,
        "Severity": {"Label": "INFORMATIONAL" if done else row.severity.upper(), "Original": row.severity},
        # As of Security Hub's own findings: the title is the control's, whatever became of it, and the description says
        # what was seen.
        "Title": short(f"{row.check} requires: {check.title}", _TITLE),
        "Description": short(f"{row.reason} {check.why}", _DESCRIPTION),
        "Remediation": {"Recommendation": {"Text": short(how(check), _TEXT)}},
        "ProductFields": {
            "gatehouse/status": row.status.value,
            "gatehouse/run": row.run,
            "gatehouse/profile": row.profile,
            "gatehouse/resource": short(row.name, _FIELD),
            **({"gatehouse/exception": short(_exception(row), _FIELD)} if row.owner else {}),
        },
        "Resources": [
            {
                "Type": _TYPES.get(Kind(row.kind), "Other"),
                "Id": f"AWS::::Account:{row.account}" if row.kind == Kind.ACCOUNT else short(row.arn, _ID),
                "Partition": partition,
                "Region": row.region,
            }
        ],
        "Compliance": {
            "Status": _COMPLIANCE[row.judged],
            **({"RelatedRequirements": requirements[:_REQUIREMENTS]} if requirements else {}),
        },
        "Workflow": {"Status": "SUPPRESSED" if row.status is Status.EXCEPTED else "RESOLVED" if done else "NEW"},
        "RecordState": "ARCHIVED" if row.status is Status.NOT_APPLICABLE else "ACTIVE",
    }


def _exception(row: FindingRow) -> str:
    return f"Until {row.expires}, {row.owner}: {row.excuse}"


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
