"""Errors any domain can meet."""

from collections.abc import Sequence


class SettingsInvalid(Exception):
    """An environment variable is missing or holds a wrong value: a fault of the template."""


class ValidationError(Exception):
    """What a function was sent, or has kept, is not what it takes; a sentence for each field says what is wrong.

    Named as pydantic's, which tells of what functions make themselves: state machines try neither again.

    Attributes:
        unquoted: Each mistake, with nothing of what the field holds: for logs.
    """

    def __init__(self, message: str, unquoted: Sequence[str]) -> None:
        super().__init__(message)
        self.unquoted = unquoted


class EffectConflict(Exception):
    """What is to be written once exists with other content: two writers disagree under one identity."""


class DeleteRefused(Exception):
    """S3 did not delete an object that was to go."""


class EventRefused(Exception):
    """EventBridge took a call and refused its entry."""
