"""Who reads a raw object: the function itself, or a role of the account that has the object."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Final

from botocore.exceptions import ClientError

from firewall_logs.access import session_name, session_policy
from firewall_logs.contracts import SourceObject
from firewall_logs.errors import SourceChanged, SourceUnreadable
from firewall_logs.feeds import Feed, Feeds
from kernel import aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "405"})
# HEAD has no body, so its errors have numbers for names: 400 is a key of the customer's own, 403 no permission.
# InvalidObjectState is an archived object.
REFUSED: Final = frozenset({"400", "403", "AccessDenied", "BadRequest", "InvalidObjectState"})
_CHANGED: Final = MISSING | {"PreconditionFailed", "412", "InvalidRange", "416"}
# Asking again changes nothing: the role, its trust policy, or what is asked of it has to.
_NOT_ASSUMED: Final = frozenset(
    {"AccessDenied", "MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException", "ValidationError"}
)


class SourceClients:
    """The S3 client for each raw object, by the feed that owns it.

    A feed with `access` is read by its role, in a session that may do no more than read that feed. Sessions are kept
    and renewed for as long as the process lives. A role that is refused is not asked for again by the same object.
    """

    IAM: ClassVar = frozenset({"sts:AssumeRole"})

    def __init__(self, feeds: Feeds, s3: "S3Client", asker: str) -> None:
        self._feeds = feeds
        self._s3 = s3
        self._asker = asker
        self._refusals: dict[str, str] = {}
        # Threads that ask at once for a feed that was not asked for yet assume its role once.
        self._lock = Lock()

    def of(self, bucket: str, key: str) -> "S3Client":
        """Return the client for an object; the function's own where no feed owns it.

        Raises:
            SourceUnreadable: The feed's role may not be assumed.
        """
        feed = self._feeds.owner(bucket, key)
        return self._s3 if feed is None else self.of_feed(feed)

    def of_feed(self, feed: Feed) -> "S3Client":
        """Return the client for a feed.

        Raises:
            SourceUnreadable: The feed's role may not be assumed.
        """
        if feed.access is None:
            return self._s3
        with self._lock:
            if feed.name not in self._refusals:
                try:
                    return aws.s3_in_role(
                        feed.access.role_arn,
                        feed.access.external_id,
                        session_name(self._asker, feed.name),
                        session_policy(feed.access, feed.bucket, feed.prefix),
                    )
                except ClientError as error:
                    code = error.response["Error"]["Code"]
                    if code not in _NOT_ASSUMED:
                        raise
                    self._refusals[feed.name] = (
                        f"Feed '{feed.name}' cannot be read: STS refuses the role {feed.access.role_arn} ({code}). "
                        "Look whether the role exists, whether its trust policy names this account and the feed's "
                        "external_id, and whether FirewallLogsSourceRoleArns names the role."
                    )
            raise SourceUnreadable(self._refusals[feed.name])

    @contextmanager
    def reading(self, source: SourceObject) -> Iterator["S3Client"]:
        """Yield the client for an object that is to be read, and say what it means if S3 does not give it.

        Raises:
            SourceChanged: The object is gone, or holds other content than was planned.
            SourceUnreadable: It is there, but not for us, or not any more.
        """
        client = self.of(source.bucket, source.key)
        try:
            yield client
        except ClientError as error:
            code = error.response["Error"]["Code"]
            place = f"s3://{source.bucket}/{source.key}"
            if code in _CHANGED:
                raise SourceChanged(
                    f"{place} is no longer the version that was planned (ETag {source.etag}): it was deleted or "
                    "overwritten. Its new version has an event of its own."
                ) from error
            if code in REFUSED:
                raise SourceUnreadable(f"{place}: {self.refusal(source.bucket, source.key, code)}") from error
            raise

    def refusal(self, bucket: str, key: str, code: str) -> str:
        """Return in words that S3 refuses an object, and to whom.

        Args:
            bucket: Of the object.
            key: Of the object.
            code: Of S3's error.
        """
        feed = self._feeds.owner(bucket, key)
        return f"S3 refuses it ({code}) to {_reader(feed)}"

    @contextmanager
    def listing(self, feed: Feed, prefix: str) -> Iterator["S3Client"]:
        """Yield the client that lists a feed, and say what it means if S3 refuses.

        Raises:
            SourceUnreadable: The role may not be assumed or may not list, or there is no such bucket.
        """
        client = self.of_feed(feed)
        try:
            yield client
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in {*REFUSED, "NoSuchBucket"}:
                raise
            raise SourceUnreadable(
                f"Feed '{feed.name}' cannot be listed below s3://{feed.bucket}/{prefix}: S3 refuses it ({code}) to "
                f"{_reader(feed)}. Look whether the bucket exists, and whether that role and the bucket's policy allow "
                "s3:ListBucket and s3:ListBucketVersions below the feed's prefix."
            ) from error


def _reader(feed: Feed | None) -> str:
    return "the function's own role" if feed is None or feed.access is None else f"the role {feed.access.role_arn}"
