"""What happens in the account while it is fixed, and is nobody's fix: logs are delivered, backups run, people write.

The emulator carries no setting out, so that this does what S3, AWS Backup and those who own the profile would.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import yaml

from demo.protection_account import KEY_ALIAS, ON_CALL, ROTATION

_BUCKETS: Final = ("audio", "transcripts", "logs")
_LOOK_SECONDS: Final = 0.05
WEAK: Final = "AES256"  # with keys of S3, which the standard does not take


class World:
    """Does it.

    Args:
        client: Returns the client of a service.
        account: Its twelve digits.
        region: Where it is.
    """

    def __init__(self, client: Callable[[str], Any], account: str, region: str) -> None:
        self._client = client
        self._account = account
        self._region = region

    def profile(self, shipped: str) -> str:
        """Return the shipped profile with what only people can decide: who is told, what rotates, by what key."""
        profile = yaml.safe_load(shipped)
        here = f"{self._region}:{self._account}"
        key = self._client("kms").describe_key(KeyId=KEY_ALIAS)["KeyMetadata"]["Arn"]
        decided = {
            "SNS-ALERT": {"subscribers": [{"protocol": "sqs", "endpoint": f"arn:aws:sqs:{here}:{ON_CALL}"}]},
            "SEC-ROT": {"function": f"arn:aws:lambda:{here}:function:{ROTATION}"},
            "CT-HARDEN": {"key": key},
            "SNS-KMS": {"change_policy": True},
        }
        for rule in profile["rules"]:
            for check, more in decided.items():
                if check in rule["requires"]:
                    rule["requires"][check] |= more
        profile["drift"] = {"fix": ["DDB-PITR"]}
        return yaml.safe_dump(profile, sort_keys=False)

    def pass_by(self) -> None:
        """Deliver access logs of buckets that are logged, and back up what plans select."""
        self._deliver()
        self._back_up()

    def _deliver(self) -> None:
        s3, now = self._client("s3"), datetime.now(UTC)
        for name in _BUCKETS:
            logging = s3.get_bucket_logging(Bucket=f"{name}-{self._account}").get("LoggingEnabled")
            if logging is not None:
                key = f"{logging['TargetPrefix']}{now:%Y-%m-%d-%H-%M-%S}-0123456789ABCDEF"
                s3.put_object(Bucket=logging["TargetBucket"], Key=key, Body=b"an access\n")

    def _back_up(self) -> None:
        backup = self._client("backup")
        for plan in backup.list_backup_plans()["BackupPlansList"]:
            vault = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"][0]
            for listed in backup.list_backup_selections(BackupPlanId=plan["BackupPlanId"])["BackupSelectionsList"]:
                selection = backup.get_backup_selection(
                    BackupPlanId=plan["BackupPlanId"], SelectionId=listed["SelectionId"]
                )["BackupSelection"]
                for arn in selection["Resources"]:
                    backup.start_backup_job(
                        BackupVaultName=vault["TargetBackupVaultName"],
                        ResourceArn=arn,
                        IamRoleArn=selection["IamRoleArn"],
                    )


class Meddler:
    """Does what the standard forbids.

    Args:
        client: Returns the client of a service, with the key of whoever does it.
        account: Its twelve digits.
    """

    def __init__(self, client: Callable[[str], Any], account: str) -> None:
        # A client takes a while to make, which a race against a verification does not have.
        self._client = cache(client)
        self._account = account

    def stop_recovery(self, table: str) -> None:
        """Turn point-in-time recovery of a table off."""
        self._client("dynamodb").update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
        )

    def has_recovery(self, table: str) -> bool:
        """Return whether point-in-time recovery of a table is on."""
        answer = self._client("dynamodb").describe_continuous_backups(TableName=table)
        recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return bool(recovery["PointInTimeRecoveryStatus"] == "ENABLED")

    def algorithm(self, bucket: str) -> str:
        """Return by what new objects of a bucket are encrypted."""
        answer = self._client("s3").get_bucket_encryption(Bucket=f"{bucket}-{self._account}")
        [rule] = answer["ServerSideEncryptionConfiguration"]["Rules"]
        return str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])

    @contextmanager
    def withholding(self, bucket: str) -> Iterator[None]:
        """Disable the account's key as soon as a bucket is encrypted with it, as who takes it for another one does."""
        kms, key, done = self._client("kms"), self._key(), threading.Event()
        thread = threading.Thread(target=self._withhold, args=(bucket, key, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            kms.enable_key(KeyId=key)

    def _withhold(self, bucket: str, key: str, done: threading.Event) -> None:
        while not done.wait(_LOOK_SECONDS):
            if self.algorithm(bucket) != WEAK:
                self._client("kms").disable_key(KeyId=key)
                return

    def _key(self) -> str:
        return str(self._client("kms").describe_key(KeyId=KEY_ALIAS)["KeyMetadata"]["KeyId"])
