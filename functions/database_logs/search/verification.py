"""VerifySearch's work: whether search has what it said to have stored.

OpenObserve answers 200 for documents that it loses when its write-ahead log fails. No answer shows that, only a count
some time later, for what is stored is found with a delay.
"""

from typing import TYPE_CHECKING, Final

from database_logs.contracts import SegmentForwarded, Verified
from database_logs.errors import SearchIncomplete
from database_logs.locations import segment_name

if TYPE_CHECKING:
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.search_engine import SearchEngine

_RESENDS: Final = 3


class Verifier:
    """Looks for documents, and has segments sent once more that lack some."""

    def __init__(self, engine: "SearchEngine", forwarding: "Messages") -> None:
        self._engine = engine
        self._forwarding = forwarding

    def verify(self, forwarded: SegmentForwarded) -> Verified:
        """Count the documents of a segment, and have it sent again if there are fewer than there should be.

        Raises:
            SearchUnavailable: Search does not answer.
            SearchIncomplete: It was sent again several times and some are still missing.
        """
        verified = Verified(
            expected=sum(span.documents for span in forwarded.spans),
            found=sum(min(self._engine.count(span), span.documents) for span in forwarded.spans),
        )
        if verified.missing:
            parsed = forwarded.parsed
            if parsed.resent == _RESENDS:
                raise SearchIncomplete(
                    f"Search lacks {verified.missing} of {verified.expected} documents of segment "
                    f"{segment_name(parsed.segment)} after {_RESENDS} further attempts, each of which was answered "
                    "as if all were stored: look at the disk and the log of the search engine, then replay the segment."
                )
            self._forwarding.send(parsed.model_copy(update={"resent": parsed.resent + 1}))
        return verified
