"""The event bus that the domains share."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from kernel.bus import Bus
from kernel.errors import EventRefused


class Sealed(BaseModel):
    day: str


class Events:
    """EventBridge, which keeps what it is given, and refuses it if told so."""

    def __init__(self, refusal: str = "") -> None:
        self.taken: list[dict[str, Any]] = []
        self._refusal = refusal

    def put_events(self, **given: Any) -> dict[str, Any]:
        self.taken += given["Entries"]
        return {"FailedEntryCount": int(bool(self._refusal)), "Entries": [{"ErrorCode": self._refusal}]}


def test_an_event_says_whose_it_is_and_what_happened() -> None:
    events = Events()
    Bus(events, "gatehouse", "firewall_logs").publish("DaySealed", Sealed(day="2026-11-21"))  # type: ignore[arg-type]

    [entry] = events.taken
    assert json.loads(entry.pop("Detail")) == {"day": "2026-11-21"}
    assert entry == {
        "EventBusName": "gatehouse",
        "Source": "gatehouse.firewall_logs",
        "DetailType": "firewall_logs.DaySealed",
    }


def test_an_event_that_the_bus_refuses_is_an_error() -> None:
    bus = Bus(Events(refusal="ThrottlingException"), "b", "data_protection")  # type: ignore[arg-type]
    with pytest.raises(EventRefused, match=r"data_protection\.DriftFound was refused by bus b.*ThrottlingException"):
        bus.publish("DriftFound", Sealed(day="2026-11-21"))
