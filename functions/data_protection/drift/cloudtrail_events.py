"""CloudTrail's events as EventBridge delivers them.

Source: CloudTrail user guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from data_protection.drift.calls import CALLS
from data_protection.drift.touches import Cause, Touch
from kernel.contracts import Document


class _Part(Document):
    # CloudTrail adds fields with each version; these are the ones relied upon.
    model_config = ConfigDict(alias_generator=to_camel)


class _Issuer(_Part):
    arn: str = ""


class _Session(_Part):
    session_issuer: _Issuer | None = None


class _Identity(_Part):
    type: str
    arn: str = ""
    invoked_by: str = ""
    session_context: _Session | None = None


class _Detail(_Part):
    event_source: str
    event_name: str
    event_time: datetime
    event_id: str = Field(alias="eventID")
    aws_region: str
    error_code: str | None = None
    read_only: bool = False
    user_identity: _Identity
    request_parameters: dict[str, Any] | None = None
    recipient_account_id: str


class CloudTrailEvent(_Part):
    """One `AWS API Call via CloudTrail` event."""

    detail_type: Literal["AWS API Call via CloudTrail"] = Field(alias="detail-type")
    detail: _Detail

    def is_by(self, roles: frozenset[str]) -> bool:
        """Return whether one of these roles made the call; users and root have no session, and are none."""
        session = self.detail.user_identity.session_context
        return session is not None and session.session_issuer is not None and session.session_issuer.arn in roles

    @property
    def touch(self) -> Touch | None:
        """What it may have changed; None for a call that failed, only read, or changes nothing that checks read."""
        detail = self.detail
        watched = CALLS.get((detail.event_source, detail.event_name))
        if watched is None or detail.error_code is not None or detail.read_only:
            return None
        identity = detail.user_identity
        return Touch(
            watched,
            account=detail.recipient_account_id,
            region=detail.aws_region,
            name=watched.named(detail.request_parameters or {}),
            cause=Cause(
                by=identity.arn or identity.invoked_by or identity.type,
                call=detail.event_name,
                event=detail.event_id,
                at=detail.event_time,
            ),
        )
