"""S3 objects: written once, read in ranges.

IAM: s3:GetObject, s3:GetObjectVersion, s3:PutObject, s3:DeleteObject, s3:ListBucket. (HEAD is s3:GetObject; without
s3:ListBucket a missing key answers 403 instead of 404.)
"""

import base64
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from kernel.errors import DeleteRefused, EffectConflict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_CONFLICT_RETRIES: Final = 5
_DELETE_BATCH: Final = 1_000  # DeleteObjects' limit
_CHUNK: Final = 8 << 20


class Bucket:
    """One bucket and what may be done to it."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name

    def put_once(self, key: str, body: bytes | Path, content_type: str) -> str:
        """Write an object that must not exist yet, or that exists with just this content.

        The put is conditional (`If-None-Match: *`), so of many writers one wins and the others find its bytes.

        Returns:
            The SHA-256 of the content, in hex.

        Raises:
            EffectConflict: The key holds other content.
        """
        digest = _sha256(body)
        for attempt in range(_CONFLICT_RETRIES):
            try:
                self._put(key, body, content_type, digest, IfNoneMatch="*")
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in {"PreconditionFailed", "412"}:
                    self._require_same(key, digest)
                    return digest.hex()
                # 409: another conditional write to the key is under way; who wins shows in a moment.
                if code not in {"ConditionalRequestConflict", "409"} or attempt == _CONFLICT_RETRIES - 1:
                    raise
                time.sleep(0.1 * 2**attempt)
            else:
                return digest.hex()
        raise AssertionError("unreachable: the loop returns or raises")

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object, whatever was there."""
        self._put(key, body, content_type, _sha256(body))

    def replace(self, key: str, body: bytes, content_type: str, etag: str | None) -> str | None:
        """Write an object if it still is as it was read.

        Args:
            key: Of the object.
            body: Its new content.
            content_type: Of the content.
            etag: That `find` returned with the old content; None where there must be no object.

        Returns:
            The new ETag; None if it was not written.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            return self._put(key, body, content_type, _sha256(body), **condition)
        except ClientError as error:
            # 409: another conditional write is under way; 404: the object is gone.
            if _is_missing(error) or error.response["Error"]["Code"] in {
                "PreconditionFailed",
                "412",
                "ConditionalRequestConflict",
                "409",
            }:
                return None
            raise

    def find(self, key: str) -> tuple[bytes, str] | None:
        """Return the content of an object and its ETag, or None where there is none."""
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if _is_missing(error):
                return None
            raise
        return answer["Body"].read(), answer["ETag"]

    def get(self, key: str) -> bytes | None:
        """Return the content of an object, or None where there is none."""
        found = self.find(key)
        return None if found is None else found[0]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is not there is none to delete.

        Raises:
            DeleteRefused: S3 kept some of them; the sentence names the first and says why.
        """
        for start in range(0, len(keys), _DELETE_BATCH):
            batch = [{"Key": key} for key in keys[start : start + _DELETE_BATCH]]
            answer = self._s3.delete_objects(Bucket=self.name, Delete={"Objects": batch, "Quiet": True})  # type: ignore[typeddict-item]
            if errors := answer.get("Errors"):
                first = errors[0]
                raise DeleteRefused(
                    f"S3 kept {len(errors)} of {len(batch)} objects, the first s3://{self.name}/{first['Key']}: "
                    f"{first['Code']}: {first['Message']}."
                )

    def keys(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Yield key and size of each object below the prefix, in key order, of those that come after a key."""
        begin: dict[str, Any] = {"StartAfter": after} if after else {}
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, **begin):
            for entry in page.get("Contents", []):
                yield entry["Key"], entry["Size"]

    def _put(self, key: str, body: bytes | Path, content_type: str, digest: bytes, **condition: Any) -> str:
        """Write an object, and return its ETag."""
        arguments = {
            "Bucket": self.name,
            "Key": key,
            "ContentType": content_type,
            "ChecksumSHA256": base64.b64encode(digest).decode(),
            "Metadata": {"sha256": digest.hex()},
            **condition,
        }
        if isinstance(body, bytes):
            return self._s3.put_object(Body=body, **arguments)["ETag"]
        with body.open("rb") as stream:
            return self._s3.put_object(Body=stream, **arguments)["ETag"]

    def _require_same(self, key: str, digest: bytes) -> None:
        found = self._s3.head_object(Bucket=self.name, Key=key)["Metadata"].get("sha256", "unknown")
        if found != digest.hex():
            raise EffectConflict(
                f"s3://{self.name}/{key} exists with SHA-256 {found}, but {digest.hex()} was to be written. One "
                "identity must have one content: look for two versions of the code under one version number."
            )


def range_of(answer: "GetObjectOutputTypeDef", first: int, after: int) -> Iterator[bytes]:
    """Yield the bytes that a GET for a range asked for.

    A server may answer a range with the whole object (RFC 9110 §14.2): S3 does not, an emulator may.

    Args:
        answer: Of S3, not read yet.
        first: Offset of the first byte.
        after: Offset of the byte after the last.
    """
    offset = first if "ContentRange" in answer else 0
    for chunk in answer["Body"].iter_chunks(_CHUNK):
        yield chunk[max(first - offset, 0) : max(after - offset, 0)]
        offset += len(chunk)


def _sha256(body: bytes | Path) -> bytes:
    if isinstance(body, bytes):
        return hashlib.sha256(body).digest()
    with body.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchVersion", "404"}
