"""The event bus that the domains share."""

import json
from typing import TYPE_CHECKING, ClassVar

from data_protection.errors import EventRefused

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from pydantic import BaseModel


class Bus:
    """Publishes this domain's events; consumers see each at least once."""

    IAM: ClassVar = frozenset({"events:PutEvents"})

    def __init__(self, events: "EventBridgeClient", name: str) -> None:
        self._events = events
        self._name = name

    def publish(self, noun: str, detail: "BaseModel") -> None:
        """Put one event of source `gatehouse.data_protection` and type `data_protection.<noun>`.

        Raises:
            EventRefused: The bus refused it; the sentence says why.
        """
        entry = {
            "EventBusName": self._name,
            "Source": "gatehouse.data_protection",
            "DetailType": f"data_protection.{noun}",
            "Detail": detail.model_dump_json(),
        }
        answer = self._events.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            raise EventRefused(f"{noun} was refused by bus {self._name}: {json.dumps(answer['Entries'])}")
