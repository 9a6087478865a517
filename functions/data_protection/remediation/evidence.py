"""Evidence: records of what was seen and done, each bound to the one before by its hash. Pure.

Whoever holds the last hash can tell whether any record before it was changed, left out or put in.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from data_protection.changes import digest
from data_protection.errors import EvidenceBroken
from kernel.contracts import Contract

FIRST: Final = "0" * 64


class Event(StrEnum):
    """What a record tells of."""

    PLANNED = "planned"
    APPROVED = "approved"
    BEGUN = "begun"  # by a run that applies what was approved, and who asked for that
    REJECTED = "rejected"
    SEEN = "seen"  # the state before, with the verdict on it
    APPLIED = "applied"
    REFUSED = "refused"
    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    UNDONE = "undone"  # AWS took the inverse call
    ROLLED_BACK = "rolled_back"
    NOT_ROLLED_BACK = "not_rolled_back"
    FINISHED = "finished"
    TAKEN_BACK = "taken_back"  # a later plan, which the record names, has undone what was verified


class Record(Contract):
    """One record of a chain.

    Attributes:
        number: From 0, without gaps.
        previous: Hash of the record before; zeros at the first.
        plan: Hash of the plan.
        step: Id of the step; empty for the plan as a whole.
        event: What happened.
        at: When.
        principal: Who did it, as AWS names the caller.
        controls: Published controls that the check stands for.
        content: What was seen or done, as plain JSON, without secrets.
    """

    number: int
    previous: str
    plan: str
    step: str
    event: Event
    at: datetime
    principal: str
    controls: dict[str, tuple[str, ...]] = Field(default={})
    content: Any

    @property
    def hash(self) -> str:
        """The SHA-256 that the next record holds."""
        return digest(self.model_dump(mode="json"))


def verify_chain(records: Sequence[Record]) -> str:
    """Return the hash of the last record of a whole chain.

    Raises:
        EvidenceBroken: A record is missing or is not the one that was written; the sentence says which.
    """
    previous = FIRST
    for number, record in enumerate(records):
        if record.number != number:
            raise EvidenceBroken(f"Record {number} is missing: record {record.number} comes in its place.")
        if record.previous != previous:
            raise EvidenceBroken(f"Record {number - 1} is not the one that record {number} was bound to.")
        previous = record.hash
    return previous
