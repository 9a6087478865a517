"""What the emulator drops while it deploys, applied from the template's own values and read back.

MiniStack's CloudFormation ignores lifecycle rules, Object Lock and KMS encryption of buckets, point-in-time recovery,
time to live and encryption of tables, and the key of event buses; its APIs accept them all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.errors import DeployFailed
from local.template import UNKNOWN, Stack

ClientOf = Callable[[str], Any]


@dataclass(frozen=True)
class AppliedSetting:
    """A property that was applied after the deployment, and read back.

    Attributes:
        resource: Path of logical ids.
        property: The template's name for it.
        value: As the service reports it.
    """

    resource: str
    property: str
    value: Any

    def __str__(self) -> str:
        return f"applied after deploy: {self.resource} {self.property}"


def apply(stack: Stack, client: ClientOf) -> Iterator[AppliedSetting]:
    """Apply the dropped properties of one deployed stack.

    Args:
        stack: With the physical ids and parameters of the deployment.
        client: Gives a client of a service.

    Raises:
        DeployFailed: A value cannot be told, or the service reports another one afterwards.
    """
    for logical_id, resource in stack.resources.items():
        steps = _STEPS.get(resource["Type"], {})
        if not stack.includes(resource):
            continue
        for name, step in steps.items():
            if name not in resource.get("Properties", {}):
                continue
            value = stack.resolve(resource["Properties"][name])
            where = f"{stack.name}/{logical_id}".lstrip("/")
            if _has_unknown(value):
                raise DeployFailed(
                    f"{where} {name} in {stack.path} uses an intrinsic that local/template.py does not know: extend it."
                )
            wanted, found = step(client, stack.physical[logical_id], value)
            if not _within(wanted, found):
                raise DeployFailed(f"{where} {name} was set to {wanted}, but the emulator reports {found}.")
            yield AppliedSetting(where, name, found)


def _lifecycle(client: ClientOf, bucket: str, value: dict[str, Any]) -> tuple[Any, Any]:
    s3 = client("s3")
    rules = [_rule(rule) for rule in value["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    return rules, s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Translate a rule from CloudFormation's shape to the API's."""
    conditions: dict[str, Any] = {"Prefix": rule["Prefix"]} if "Prefix" in rule else {}
    conditions |= {key: int(rule[key]) for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule}
    tags = rule.get("TagFilters", [])
    several = len(conditions) + len(tags) > 1
    single = {"Tag": tags[0]} if tags else conditions or {"Prefix": ""}
    translated: dict[str, Any] = {
        "ID": rule.get("Id", "rule"),
        "Status": rule["Status"],
        "Filter": {"And": {**conditions, **({"Tags": tags} if tags else {})}} if several else single,
    }
    expiration = {
        api: rule[given]
        for given, api in (("ExpirationInDays", "Days"), ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"))
        if given in rule
    }
    if expiration:
        translated["Expiration"] = _integers(expiration)
    if "Transitions" in rule:
        translated["Transitions"] = [
            {"Days": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]} for t in rule["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in rule:
        translated["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]}
            for t in rule["NoncurrentVersionTransitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            translated[name] = _integers(rule[name])
    return translated


def _object_lock(client: ClientOf, bucket: str, value: dict[str, Any]) -> tuple[Any, Any]:
    s3 = client("s3")
    wanted = {**value}
    if "Rule" in value:
        wanted["Rule"] = {"DefaultRetention": _integers(value["Rule"]["DefaultRetention"])}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=wanted)
    return wanted, s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


def _bucket_encryption(client: ClientOf, bucket: str, value: dict[str, Any]) -> tuple[Any, Any]:
    s3 = client("s3")
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    return rules, s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def _point_in_time_recovery(client: ClientOf, table: str, value: dict[str, Any]) -> tuple[Any, Any]:
    dynamodb = client("dynamodb")
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=_integers(value))
    found = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    status = "ENABLED" if value["PointInTimeRecoveryEnabled"] else "DISABLED"
    return {"PointInTimeRecoveryStatus": status}, found["PointInTimeRecoveryDescription"]


def _time_to_live(client: ClientOf, table: str, value: dict[str, Any]) -> tuple[Any, Any]:
    dynamodb = client("dynamodb")
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=value)
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    status = "ENABLED" if value["Enabled"] else "DISABLED"
    return {"AttributeName": value["AttributeName"], "TimeToLiveStatus": status}, found


def _table_encryption(client: ClientOf, table: str, value: dict[str, Any]) -> tuple[Any, Any]:
    dynamodb = client("dynamodb")
    asked = {("Enabled" if key == "SSEEnabled" else key): item for key, item in value.items()}
    dynamodb.update_table(TableName=table, SSESpecification=asked)
    found = dynamodb.describe_table(TableName=table)["Table"].get("SSEDescription", {})
    return {"Status": "ENABLED" if value["SSEEnabled"] else "DISABLED"}, found


def _bus_encryption(client: ClientOf, bus: str, value: str) -> tuple[Any, Any]:
    events = client("events")
    events.update_event_bus(Name=bus, KmsKeyIdentifier=value)
    return value, events.describe_event_bus(Name=bus)["KmsKeyIdentifier"]


_STEPS: dict[str, dict[str, Callable[[ClientOf, str, Any], tuple[Any, Any]]]] = {
    "AWS::Events::EventBus": {"KmsKeyIdentifier": _bus_encryption},
    "AWS::S3::Bucket": {
        "LifecycleConfiguration": _lifecycle,
        "ObjectLockConfiguration": _object_lock,
        "BucketEncryption": _bucket_encryption,
    },
    "AWS::DynamoDB::Table": {
        "PointInTimeRecoverySpecification": _point_in_time_recovery,
        "TimeToLiveSpecification": _time_to_live,
        "SSESpecification": _table_encryption,
    },
}


def _integers(values: dict[str, Any]) -> dict[str, Any]:
    # A number that came through a parameter is text.
    return {key: int(item) if str(item).isdigit() else item for key, item in values.items()}


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_has_unknown, value))
    return value is UNKNOWN


def _within(wanted: Any, found: Any) -> bool:
    """Whether everything wanted was found; services add fields of their own."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_within(item, found.get(key)) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_within, wanted, found))
    return bool(wanted == found)
