"""JSON documents in a bucket: what the adapters of runs and seals have in common."""

from collections.abc import Iterable
from typing import Final, TypeVar

from pydantic import BaseModel

from kernel.objects import Bucket

Document = TypeVar("Document", bound=BaseModel)

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
# What reading and writing documents needs: without s3:ListBucket a missing key answers 403 instead of 404.
READ: Final = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})
WRITE: Final = frozenset({"s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"})


def json_of(document: BaseModel) -> bytes:
    """Return a document as it is stored."""
    return document.model_dump_json(indent=1).encode()


def lines_of(documents: Iterable[BaseModel]) -> bytes:
    """Return documents as they are stored in a list, one a line."""
    return b"".join(document.model_dump_json().encode() + b"\n" for document in documents)


def read_document(bucket: Bucket, key: str, model: type[Document]) -> Document | None:
    """Return a document, or None where there is none."""
    body = bucket.get(key)
    return None if body is None else model.model_validate_json(body)
