"""Identities: derived from the input alone, so that doing a thing twice finds what was done before."""

import hashlib
from collections.abc import Iterable

from firewall_logs.contracts import ObjectRef, SourceObject
from firewall_logs.feeds import Feed
from firewall_logs.version import TRANSFORM_VERSION


def source_id(source: SourceObject) -> str:
    """Return the identity of one object version, whatever is made of it, 32 hex digits.

    The version id where the bucket keeps versions, else the ETag: a key overwritten with new content is a new object.
    """
    return digest([source.bucket, source.key, source.version_id or source.etag])[:32]


def object_id(source: SourceObject, feed: Feed) -> str:
    """Return the identity of what one object version becomes, 32 hex digits.

    It covers everything that decides the bytes: the object, the transform, and the feed's words about the object.
    """
    return digest([source_id(source), TRANSFORM_VERSION, feed.name, feed.zone, feed.format, feed.naive_times])[:32]


def execution_name(refs: Iterable[ObjectRef]) -> str:
    """Return the name of the execution that processes these objects, whatever their order.

    StartExecution is idempotent by name for 90 days, so a batch that the queue delivers twice starts one run.
    """
    parts = sorted({f"{ref.bucket}\0{ref.key}\0{ref.version_id or ''}" for ref in refs})
    return f"s3-{digest(parts)[:40]}"


def digest(parts: Iterable[str]) -> str:
    """Return the SHA-256 of a list of texts, 64 hex digits; other lists have others, however they are split."""
    # Length before text, so that no two lists of parts read alike.
    joined = b"".join(b"%d:%s" % (len(raw), raw) for raw in (part.encode() for part in parts))
    return hashlib.sha256(joined).hexdigest()
