"""Errors any domain can meet."""


class SettingsInvalid(Exception):
    """An environment variable is missing or holds a wrong value: a fault of the template."""


class EffectConflict(Exception):
    """What is to be written once exists with other content: two writers disagree under one identity."""


class DeleteRefused(Exception):
    """S3 did not delete an object that was to go."""


class EventRefused(Exception):
    """EventBridge took a call and refused its entry."""
