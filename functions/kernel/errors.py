"""Errors any domain can meet."""


class SettingsInvalid(Exception):
    """An environment variable is missing or holds a wrong value: a fault of the template."""


class ValidationError(Exception):
    """What a function was sent is not what it takes; a sentence for each field says what is wrong.

    Named as pydantic's, which tells of what is kept and not as it was written: state machines try neither again.
    """


class EffectConflict(Exception):
    """What is to be written once exists with other content: two writers disagree under one identity."""


class DeleteRefused(Exception):
    """S3 did not delete an object that was to go."""


class EventRefused(Exception):
    """EventBridge took a call and refused its entry."""
