"""DaySealed as EventBridge delivers it to the queues of its consumers.

Source: Amazon EventBridge user guide, "EventBridge event structure".
"""

from typing import Literal

from pydantic import Field

from firewall_logs.days.contracts import DaySealed
from kernel.contracts import Document


class DaySealedEvent(Document):
    """One event `firewall_logs.DaySealed`."""

    # EventBridge may add fields to its envelope; these are the ones relied upon.
    source: Literal["gatehouse.firewall_logs"]
    detail_type: Literal["firewall_logs.DaySealed"] = Field(alias="detail-type")
    detail: DaySealed
