"""The S3 event as EventBridge delivers it to the object queue.

Source: Amazon S3 user guide, "Events structure" of EventBridge notifications ("Object Created").
"""

from typing import Literal

from pydantic import Field

from firewall_logs.contracts import ObjectRef
from kernel.contracts import Document


class _Bucket(Document):
    name: str


class _Object(Document):
    key: str
    version_id: str | None = Field(default=None, alias="version-id")


class _Detail(Document):
    bucket: _Bucket
    object: _Object


class ObjectCreated(Document):
    """One `Object Created` event."""

    source: Literal["aws.s3"]
    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    detail: _Detail

    @property
    def ref(self) -> ObjectRef:
        """The object that was created. EventBridge carries keys as they are, not URL-encoded."""
        return ObjectRef(
            bucket=self.detail.bucket.name,
            key=self.detail.object.key,
            version_id=self.detail.object.version_id or None,
        )
