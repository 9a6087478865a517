"""What an answer to a bulk request means for each of its documents.

A document counts as stored only where the answer says so of it by its id: OpenObserve answers 200 for requests that it
stored in part, or not at all, with fewer items than documents, in no particular order.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from database_logs.errors import SearchDenied
from database_logs.search.bulk import Entry
from database_logs.search.sinks import Sink

_OK: Final = 200
_BAD_REQUEST: Final = 400
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
# Nobody answered.
NO_ANSWER: Final = 0
_REASON_CHARACTERS: Final = 500


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: Of HTTP; NO_ANSWER where the connection broke, with the reason as body.
        retry_after: Seconds that the engine asks to wait.
    """

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def is_failure(self) -> bool:
        """The engine could not take the request, whatever is in it."""
        return self.status in {NO_ANSWER, _TOO_MANY} or self.status >= _SERVER_ERROR

    @property
    def told(self) -> str:
        """Status and beginning of the body, for people."""
        return f"{self.status or 'no answer'}: {self.body.decode(errors='replace')[:_REASON_CHARACTERS]}"


@dataclass
class Outcome:
    """What becomes of the documents of a request.

    Attributes:
        stored: In search now.
        late: Outside of the time that the engine takes.
        refused: Will never be taken, each with the reason.
        again: To be sent again after a while.
        smaller: To be sent at once, in smaller requests.
    """

    stored: list[Entry] = field(default_factory=list)
    late: list[Entry] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    again: list[Entry] = field(default_factory=list)
    smaller: list[list[Entry]] = field(default_factory=list)


def outcome(answer: Answer, sent: Sequence[Entry], sink: Sink) -> Outcome:
    """Return what becomes of each document.

    Raises:
        SearchDenied: The engine does not take requests of this sender, or at this address.
    """
    if answer.status == _OK:
        return _of_items(_items(answer.body), sent, sink)
    text = answer.body.decode(errors="replace")
    if answer.is_failure or (answer.status == _BAD_REQUEST and any(part in text for part in sink.passing)):
        return Outcome(again=list(sent))
    if answer.status in {_BAD_REQUEST, _TOO_LARGE}:
        # One document spoils the request, or all of them are too much: halves lead to the one.
        half = len(sent) // 2
        if half:
            return Outcome(smaller=[list(sent[:half]), list(sent[half:])])
        return Outcome(refused=[(sent[0], answer.told)])
    raise SearchDenied(
        f"Search answered {answer.told}. Nothing was sent to it: look at its address, at the secret with its user, and "
        "at what that user may write. The message comes again."
    )


def _of_items(items: Sequence[Any], sent: Sequence[Entry], sink: Sink) -> Outcome:
    said = {item["_id"]: item for item in map(_item, items) if item.get("_id")}
    found = Outcome()
    for each in sent:
        item = said.get(each.document.event_id)
        match "again" if item is None else sink.verdict(item):
            case "stored":
                found.stored.append(each)
            case "late":
                found.late.append(each)
            case "again":
                found.again.append(each)
            case "refused":
                found.refused.append((each, _reason(item or {})))
    return found


def _items(body: bytes) -> list[Any]:
    try:
        items = json.loads(body).get("items")
    except (ValueError, AttributeError):
        # No answer of an engine: a proxy's page, for instance. It speaks of no document.
        return []
    return items if isinstance(items, list) else []


def _item(entry: Any) -> dict[str, Any]:
    """Return what is said of a document, out of the action that it is said under."""
    inner = next(iter(entry.values()), None) if isinstance(entry, dict) else None
    return inner if isinstance(inner, dict) else {}


def _reason(item: dict[str, Any]) -> str:
    error = item.get("error")
    words = f"{error.get('type')}: {error.get('reason')}" if isinstance(error, dict) else str(error)
    return f"{item.get('status')}: {words}"[:_REASON_CHARACTERS]
