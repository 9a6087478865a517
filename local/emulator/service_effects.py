# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""What services do of themselves once they are set up, as far as their answers tell of it.

- CloudTrail delivers: a trail that logs has just delivered. Nothing is written to its bucket.
- AWS Backup protects: what a job of it has backed up is listed, with the time.
- Secrets Manager rotates: at once, unless asked not to. The function is not called.
- RDS has `rds.force_ssl` for PostgreSQL, which is on from version 15:
  https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.services import backup, cloudtrail, rds, secretsmanager

from local.emulator import seams

_OK = 200
_TLS_SINCE = 15
_TYPES = {"dynamodb": "DynamoDB", "s3": "S3", "rds": "RDS"}


def install() -> None:
    """Let the answers tell of it."""
    seams.replace(cloudtrail, "_get_trail_status", "body", _delivering)
    # MiniStack looks its functions up in a table that was made when it was imported.
    cloudtrail._DISPATCH["GetTrailStatus"] = cloudtrail._get_trail_status
    seams.replace(backup, "_list_protected_resources", "query", _protecting)
    seams.replace(secretsmanager, "_rotate_secret", "data", _rotating)
    seams.replace(secretsmanager, "_describe_secret", "data", _telling_of_rotation)
    seams.replace(rds, "_default_parameters_for_family", "family", _asking_for_tls)


def _delivering(original: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def status_of(body: dict[str, Any]) -> Any:
        code, headers, answer = original(body)
        if code != _OK:
            return code, headers, answer
        status = json.loads(answer)
        if status["IsLogging"]:
            status["LatestDeliveryTime"] = int(time.time())
        return cloudtrail._ok(status)

    return status_of


def _protecting(_original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def protected(query: Any) -> Any:
        last: dict[str, float] = {}
        for job in backup._jobs.values():
            if job["State"] == "COMPLETED":
                last[job["ResourceArn"]] = max(job["CompletionDate"], last.get(job["ResourceArn"], 0))
        items = [
            {"ResourceArn": arn, "ResourceType": _TYPES.get(arn.split(":")[2], ""), "LastBackupTime": at}
            for arn, at in sorted(last.items())
        ]
        return backup._paginate(items, query, "Results")

    return protected


def _rotating(original: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def rotate(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == _OK and data.get("RotateImmediately", True):
            _, secret = secretsmanager._resolve(data["SecretId"])
            secret["LastRotatedDate"] = int(time.time())
        return answer

    return rotate


def _telling_of_rotation(original: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def describe(data: dict[str, Any]) -> Any:
        code, headers, answer = original(data)
        if code != _OK:
            return code, headers, answer
        _, secret = secretsmanager._resolve(data["SecretId"])
        rotated = {"LastRotatedDate": secret["LastRotatedDate"]} if "LastRotatedDate" in secret else {}
        return secretsmanager.json_response(json.loads(answer) | rotated)

    return describe


def _asking_for_tls(original: Callable[[str], list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    def parameters(family: str) -> list[dict[str, Any]]:
        version = re.fullmatch(r"(?:aurora-)?postgres(?:ql)?(\d+)", family)
        if version is None:
            return original(family)
        force = {
            "name": "rds.force_ssl",
            "default": "1" if int(version[1]) >= _TLS_SINCE else "0",
            "description": "Force SSL connections.",
            "apply_type": "dynamic",
            "data_type": "boolean",
            "modifiable": True,
        }
        return [*original(family), force]

    return parameters
