"""What is known of records on their way to search: how far a message came, and what was refused."""

import gzip
import json
from typing import TYPE_CHECKING, ClassVar

from database_logs.contracts import Forwarded
from database_logs.locations import progress_key, refused_key
from kernel.objects import Bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_s3 import S3Client

    from database_logs.search.documents import Document

_JSON = "application/json"


class SearchState:
    """Notes of the forwarder; they may expire when the queue's messages have."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def progress(self, message_id: str) -> Forwarded:
        """Return what became of a message so far."""
        body = self._bucket.get(progress_key(message_id))
        return Forwarded() if body is None else Forwarded.model_validate_json(body)

    def note_progress(self, message_id: str, forwarded: Forwarded) -> None:
        """Note what became of a message before it was interrupted."""
        self._bucket.put(progress_key(message_id), forwarded.model_dump_json().encode(), _JSON)

    def note_refused(self, segment: str, record: int, refused: "Sequence[tuple[Document, str]]") -> None:
        """Keep documents of a request that search will never take, as they were sent, each with the reason.

        Args:
            segment: Name of the segment.
            record: The request's first record in it.
            refused: Documents and reasons.
        """
        lines = (
            json.dumps({"reason": reason, "document": json.loads(document.json)}, ensure_ascii=False)
            for document, reason in refused
        )
        body = "".join(f"{line}\n" for line in lines).encode()
        self._bucket.put(refused_key(segment, record), gzip.compress(body, mtime=0), "application/gzip")
