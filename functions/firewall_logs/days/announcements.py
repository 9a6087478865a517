"""DaySealed as EventBridge delivers it to the queues of its consumers.

Source: Amazon EventBridge user guide, "EventBridge event structure".
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from firewall_logs.days.contracts import DaySealed


class DaySealedEvent(BaseModel):
    """One event `firewall_logs.DaySealed`."""

    # EventBridge may add fields to its envelope; these are the ones relied upon.
    model_config = ConfigDict(extra="ignore", frozen=True)

    source: Literal["gatehouse.firewall_logs"]
    detail_type: Literal["firewall_logs.DaySealed"] = Field(alias="detail-type")
    detail: DaySealed
