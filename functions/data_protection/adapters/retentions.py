"""Retention of versions, read and set."""

from collections.abc import Callable, Mapping
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


class _Versions:
    """Versions of one bucket, to call S3 about one at a time.

    Args:
        s3: Client.
        bucket: Its name.
        owner: The account that it must belong to.
        pace: At which calls are made, by all threads together.
    """

    def __init__(self, s3: "S3Client", bucket: str, owner: str, pace: "Pace") -> None:
        self._s3, self._pace = s3, pace
        self._place = {"Bucket": bucket, "ExpectedBucketOwner": owner}

    def _call(
        self, method: Callable[..., Any], version: Version, *, never: frozenset[str] = frozenset(), **given: Any
    ) -> Mapping[str, Any]:
        """Return the answer to a call; an empty one where S3 says by one of the codes that it never had that.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 refuses; the sentence says why.
            ClientError: S3 is throttling or failing.
        """
        self._pace.take()
        try:
            answer: Mapping[str, Any] = method(**self._place, Key=version.key, VersionId=version.id, **given)
        except ClientError as error:
            if error.response["Error"]["Code"] in never:
                return {}
            raise _named(error) from error
        return answer


class RetentionReader(_Versions):
    """Reads how versions are locked."""

    IAM: ClassVar = frozenset({"s3:GetObjectRetention"})

    def present(self, version: Version) -> Present:
        """Return the retention of a version.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 does not say; the sentence says why not.
            ClientError: S3 is throttling or failing.
        """
        return _present(self._call(self._s3.get_object_retention, version, never=_NEVER).get("Retention", {}))


class LegalHoldReader(_Versions):
    """Reads which versions have a legal hold."""

    IAM: ClassVar = frozenset({"s3:GetObjectLegalHold"})

    def is_held(self, version: Version) -> bool:
        """Return whether a version has a legal hold.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 does not say; the sentence says why not.
            ClientError: S3 is throttling or failing.
        """
        answer = self._call(self._s3.get_object_legal_hold, version, never=_NEVER)
        return bool(answer.get("LegalHold", {}).get("Status") == "ON")


class RetentionWriter(_Versions):
    """Sets the retention of versions."""

    IAM: ClassVar = frozenset({"s3:PutObjectRetention", "s3:BypassGovernanceRetention"})

    def set(self, version: Version, decision: Decision) -> None:
        """Set what was decided; set again, nothing changes.

        Raises:
            VersionGone: There is no such version any more.
            VersionRefused: S3 refuses; the sentence says why.
            ClientError: S3 is throttling or failing.
        """
        assert decision.retention is not None  # noqa: S101 - the caller asks for what is to be set
        bypass: dict[str, Any] = {"BypassGovernanceRetention": True} if decision.bypasses else {}
        retention = {"Mode": decision.retention.mode.value, "RetainUntilDate": decision.retention.until}
        self._call(self._s3.put_object_retention, version, Retention=retention, **bypass)


def _present(retention: Mapping[str, Any]) -> Present:
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
