"""Retention of versions, read and set."""

from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.checks.s3_lock import Mode
from data_protection.errors import VersionGone, VersionRefused
from data_protection.locking.retention import Decision, Present, Retention
from data_protection.locking.versions import Version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from data_protection.adapters.snapshots import Pace

_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
# "Never": a version of a bucket with Object Lock that has no retention, or a bucket without Object Lock.
_NEVER: Final = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})
# What S3 says of a delete marker.
_NO_OBJECT: Final = "MethodNotAllowed"
# About the caller or the moment, not about the version.
_PASSING: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "TooManyRequests",
    }
)
_SERVER_ERROR: Final = 500


class RetentionReader:
    """Reads how versions are locked.

    Args:
        s3: Client.
        bucket: Its name.
        owner: The account that it must belong to.
        pace: At which calls are made, by all threads together.
    """

    IAM: ClassVar = frozenset({"s3:GetObjectRetention"})

    def __init__(self, s3: "S3Client", bucket: str, owner: str, pace: "Pace") -> None:
        self._s3, self._pace = s3, pace
        self._place: Any = {"Bucket": bucket, "ExpectedBucketOwner": owner}

    def present(self, version: Version) -> Present:
        """Return the retention of a version.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 does not say; the sentence says why not.
            ClientError: S3 is throttling or failing.
        """
        self._pace.take()
        try:
            answer: Any = self._s3.get_object_retention(**self._place, Key=version.key, VersionId=version.id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NEVER:
                return Present()
            raise _named(error) from error
        return _present(answer.get("Retention", {}))


class LegalHoldReader:
    """Reads which versions have a legal hold; arguments as of RetentionReader."""

    IAM: ClassVar = frozenset({"s3:GetObjectLegalHold"})

    def __init__(self, s3: "S3Client", bucket: str, owner: str, pace: "Pace") -> None:
        self._s3, self._pace = s3, pace
        self._place: Any = {"Bucket": bucket, "ExpectedBucketOwner": owner}

    def is_held(self, version: Version) -> bool:
        """Return whether a version has a legal hold.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 does not say; the sentence says why not.
            ClientError: S3 is throttling or failing.
        """
        self._pace.take()
        try:
            answer = self._s3.get_object_legal_hold(**self._place, Key=version.key, VersionId=version.id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NEVER:
                return False
            raise _named(error) from error
        return answer.get("LegalHold", {}).get("Status") == "ON"


class RetentionWriter:
    """Sets the retention of versions; arguments as of RetentionReader."""

    IAM: ClassVar = frozenset({"s3:PutObjectRetention", "s3:BypassGovernanceRetention"})

    def __init__(self, s3: "S3Client", bucket: str, owner: str, pace: "Pace") -> None:
        self._s3, self._pace = s3, pace
        self._place: Any = {"Bucket": bucket, "ExpectedBucketOwner": owner}

    def set(self, version: Version, decision: Decision) -> None:
        """Set what was decided; set again, nothing changes.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 refuses; the sentence says why.
            ClientError: S3 is throttling or failing.
        """
        assert decision.retention is not None  # noqa: S101 - the caller asks for what is to be set
        bypass: Any = {"BypassGovernanceRetention": True} if decision.bypasses else {}
        self._pace.take()
        try:
            self._s3.put_object_retention(
                **self._place,
                Key=version.key,
                VersionId=version.id,
                Retention={
                    "Mode": decision.retention.mode.value,
                    "RetainUntilDate": decision.retention.until,
                },
                **bypass,
            )
        except ClientError as error:
            raise _named(error) from error


def _present(retention: dict[str, Any]) -> Present:
    until = retention.get("RetainUntilDate")
    return Present(
        retention=None
        if until is None or "Mode" not in retention
        else Retention(mode=Mode(retention["Mode"]), until=until.astimezone(UTC)),
        has_event_hold=retention.get("EventHold") == "ON",
    )


def _named(error: ClientError) -> Exception:
    """Return what a refusal of one version is called; the error itself where it says nothing of the version."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _GONE or code == _NO_OBJECT:
        return VersionGone(f"S3 knows no such version any more ({code}).")
    if code in _PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR:
        return error
    return VersionRefused(f"{code}: {message}")
