"""The S3 event as EventBridge delivers it to the object queue.

Source: Amazon S3 user guide, "Events structure" of EventBridge notifications ("Object Created").
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from firewall_logs.contracts import ObjectRef


class _Part(BaseModel):
    # S3 may add fields to its events; these are the ones relied upon.
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Bucket(_Part):
    name: str


class _Object(_Part):
    key: str
    version_id: str | None = Field(default=None, alias="version-id")


class _Detail(_Part):
    bucket: _Bucket
    object: _Object


class ObjectCreated(_Part):
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
