"""The event bus that the domains share."""

import json
from typing import TYPE_CHECKING, ClassVar

from kernel.errors import EventRefused

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from pydantic import BaseModel


class Bus:
    """Publishes a domain's events; consumers see each at least once.

    Args:
        events: Client.
        name: Of the bus.
        domain: Whose events they are, as `firewall_logs`.
    """

    IAM: ClassVar = frozenset({"events:PutEvents"})

    def __init__(self, events: "EventBridgeClient", name: str, domain: str) -> None:
        self._events = events
        self._name = name
        self._domain = domain

    def publish(self, noun: str, detail: "BaseModel") -> None:
        """Put one event of source `gatehouse.<domain>` and type `<domain>.<noun>`.

        Raises:
            EventRefused: The bus refused it; the sentence says why.
        """
        kind = f"{self._domain}.{noun}"
        entry = {
            "EventBusName": self._name,
            "Source": f"gatehouse.{self._domain}",
            "DetailType": kind,
            "Detail": detail.model_dump_json(),
        }
        answer = self._events.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            raise EventRefused(f"{kind} was refused by bus {self._name}: {json.dumps(answer['Entries'])}")
