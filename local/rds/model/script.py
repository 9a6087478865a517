"""Faults: plain data that says what goes wrong, on which calls, from when on, how often."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Final

CLOCK: Final = "Clock"  # what a rule's action is called that fires as time goes by, without a call


class Effect(StrEnum):
    """What goes wrong. The unit of a rule's amount stands in brackets."""

    # the answer
    EMPTY_LISTING = "empty_listing"
    LISTED_BEYOND_READABLE = "listed_beyond_readable"  # [bytes that Size is too large]
    DUPLICATE_FRAGMENT = "duplicate_fragment"  # [bytes delivered again at the beginning of a portion]
    SKIP_LINES = "skip_lines"  # [lines that the marker of a cut portion skips beyond the cut one]
    PENDING_FALSE = "pending_false"
    PENDING_MISSING = "pending_missing"
    MARKER_ECHO = "marker_echo"  # the marker of the request, and no data
    MARKER_MISSING = "marker_missing"
    MARKER_EMPTY = "marker_empty"  # mid-rotation: marker "" and no data
    THROTTLE = "throttle"
    UNAVAILABLE = "unavailable"
    INTERNAL_FAILURE = "internal_failure"
    ACCESS_DENIED = "access_denied"
    NOT_READY = "not_ready"
    FILE_NOT_FOUND = "file_not_found"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of an error
    RESET = "reset"  # the connection, without an answer
    DISCONNECT = "disconnect"  # [bytes of a complete file that arrive before the connection is gone]
    # the world, before the call is answered
    ROTATE = "rotate"
    HOURS_PASS = "hours_pass"  # noqa: S105 - time goes by; [hours; two of them rotate MySQL's logs twice between two reads]
    PURGE = "purge"
    REBOOT = "reboot"
    FAILOVER = "failover"
    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    RECREATE = "recreate"
    GROW = "grow"  # [bytes written by the next call, in lines]


@dataclass(frozen=True)
class Rule:
    """One fault. Patterns are those of fnmatch.

    Attributes:
        action: API action, `DownloadCompleteDBLogFile` for the REST path, `Clock` for the passing of five minutes.
        instance: Identifier; effects on the world need one that names a single instance if the action is Clock.
        file: LogFileName; effects on the world by the clock need one where they concern a file.
        first_call: It applies from this matching call on, counted from 1.
        times: It applies so often; None: always.
        probability: It applies to such a part of the calls, the same ones for the same seed.
        after: It applies from this virtual time on.
        before: It applies until this virtual time.
        amount: See Effect.
    """

    effect: Effect
    action: str = "*"
    instance: str = "*"
    file: str = "*"
    first_call: int = 1
    times: int | None = 1
    probability: float = 1.0
    after: datetime | None = None
    before: datetime | None = None
    amount: int = 1

    def __post_init__(self) -> None:
        if self.action == CLOCK and self.effect is Effect.HOURS_PASS:
            raise ValueError("The clock cannot move itself: let hours pass on a call, or advance the clock.")


@dataclass
class Script:
    """Rules in order, with how often each has matched and applied."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    _matched: dict[int, int] = field(init=False, default_factory=dict)
    _applied: dict[int, int] = field(init=False, default_factory=dict)

    def due(self, action: str, instance: str, file: str, now: datetime) -> list[Rule]:
        """Return the rules that apply to a call, and count it."""
        called = (action, instance, file)
        return [
            rule
            for number, rule in enumerate(self.rules)
            if _matches(rule, called, now) and self._applies(number, rule)
        ]

    def applied(self) -> list[int]:
        """Return how often each rule has applied."""
        return [self._applied.get(number, 0) for number in range(len(self.rules))]

    def _applies(self, number: int, rule: Rule) -> bool:
        matched = self._matched[number] = self._matched.get(number, 0) + 1
        applied = self._applied.get(number, 0)
        if matched < rule.first_call or (rule.times is not None and applied >= rule.times):
            return False
        if Random(f"{self.seed}:{number}:{matched}").random() >= rule.probability:  # noqa: S311 - for tests
            return False
        self._applied[number] = applied + 1
        return True


def _matches(rule: Rule, called: tuple[str, str, str], now: datetime) -> bool:
    if (rule.after and now < rule.after) or (rule.before and now >= rule.before):
        return False
    if CLOCK in {called[0], rule.action}:
        return called[0] == rule.action
    return all(map(fnmatchcase, called, (rule.action, rule.instance, rule.file)))
