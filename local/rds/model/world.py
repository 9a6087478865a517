"""All estates under one virtual clock: what a server, a test and a demo hold."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.rds.model.actions import ACTIONS, Call, CompleteFile, Effects, complete_file
from local.rds.model.errors import ServiceError, file_missing, not_ready, throttled
from local.rds.model.estates import COMPLETE, Estate
from local.rds.model.happenings import HAPPENINGS
from local.rds.model.script import CLOCK, Effect, Rule, Script

_TICK = timedelta(minutes=5)


class ConnectionLost(Exception):
    """The connection is reset instead of an answer."""


@dataclass(frozen=True)
class Answer:
    """What a call is answered with.

    Attributes:
        result: Members of the output, or a complete file.
        seconds: How long the answer takes.
        disconnect: Bytes of a complete file after which the connection is lost; None: none.
    """

    result: dict[str, Any] | CompleteFile
    seconds: float = 0.0
    disconnect: int | None = None


_ERRORS: dict[Effect, Callable[[str, str], ServiceError]] = {
    Effect.THROTTLE: lambda *_: throttled(),
    Effect.UNAVAILABLE: lambda *_: ServiceError("ServiceUnavailable", 503, "Service is unavailable; try again."),
    Effect.INTERNAL_FAILURE: lambda *_: ServiceError("InternalFailure", 500, "An internal error has occurred."),
    Effect.ACCESS_DENIED: lambda *_: ServiceError("AccessDenied", 403, "The caller is not authorized to do this."),
    Effect.NOT_READY: lambda instance, _: not_ready(instance),
    Effect.FILE_NOT_FOUND: lambda _, file: file_missing(file),
    Effect.EXPIRED_TOKEN: lambda *_: ServiceError(
        "ExpiredToken", 403, "The security token included in the request is expired"
    ),
}


@dataclass
class World:
    """Estates by account and region.

    Attributes:
        start: Where the virtual clock begins, UTC.
        speed: Virtual seconds in a second; 0: the clock is moved by hand only.
        script: What goes wrong.
        lock: Held by whoever looks at the estates or changes them.
    """

    start: datetime
    speed: float = 0.0
    script: Script = field(default_factory=Script)
    estates: dict[tuple[str, str], Estate] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _settled: datetime = field(init=False)
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._settled = self.start
        self._since = time.monotonic()

    def estate(self, account: str, region: str) -> Estate:
        """Return an estate; an empty one if nothing was ever put there."""
        with self.lock:
            return self.estates.setdefault((account, region), Estate(account, region))

    def now(self) -> datetime:
        """Return the virtual time, after all that was due until then."""
        with self.lock:
            if self.speed:
                elapsed = time.monotonic() - self._since
                self._since += elapsed
                self._settle(self._settled + timedelta(seconds=elapsed * self.speed))
            return self._settled

    def advance(self, by: timedelta) -> datetime:
        """Move the clock, and let all that is due happen in its order: rotation, purge, scripted events."""
        with self.lock:
            self._settle(self.now() + by)
            return self._settled

    def run(self, speed: float) -> None:
        """Let the clock go at a speed from now on; 0 stops it."""
        with self.lock:
            self.now()
            self.speed, self._since = speed, time.monotonic()

    def call(self, account: str, region: str, action: str, parameters: dict[str, Any]) -> Answer:
        """Answer a call.

        Raises:
            ServiceError: As the service answers it.
            ConnectionLost: No answer is sent.
        """
        with self.lock:
            now = self.now()
            estate = self.estate(account, region)
            instance, file = parameters.get("DBInstanceIdentifier", ""), parameters.get("LogFileName", "")
            if not estate.admits(action, now.timestamp(), time.monotonic()):
                raise throttled()
            effects: Effects = {}
            for rule in self.script.due(action, instance, file, now):
                if not self._happen(estate, rule, instance, file):
                    effects[rule.effect] = rule.amount
            now = self._settled
            if Effect.RESET in effects:
                raise ConnectionLost
            for effect in effects:
                if effect in _ERRORS:
                    raise _ERRORS[effect](instance, file)
            call = Call(estate, parameters, now, effects)
            if action == COMPLETE:
                complete = complete_file(call)
                seconds = self._seconds(estate, instance, complete.size)
                return Answer(complete, seconds, effects.get(Effect.DISCONNECT))
            result = ACTIONS[action](call)
            return Answer(result, self._seconds(estate, instance, len(result.get("LogFileData", b""))))

    def _settle(self, until: datetime) -> None:
        due = self._settled.replace(minute=self._settled.minute // 5 * 5, second=0, microsecond=0) + _TICK
        while due <= until:
            self._settled = due
            for estate in self.estates.values():
                estate.tick(due)
            for rule in self.script.due(CLOCK, "", "", due):
                for estate in self.estates.values():
                    if rule.instance in {*estate.instances, *estate.clusters}:
                        self._happen(estate, rule, rule.instance, rule.file)
            due += _TICK
        self._settled = max(until, self._settled)

    def _happen(self, estate: Estate, rule: Rule, instance: str, file: str) -> bool:
        """Change the world as a rule says; False if the rule is about the answer."""
        if rule.effect is Effect.HOURS_PASS:
            self._settle(self._settled + timedelta(hours=rule.amount))
        elif rule.effect in HAPPENINGS:
            HAPPENINGS[rule.effect](estate, rule, instance, file, self._settled)
        else:
            return False
        return True

    @staticmethod
    def _seconds(estate: Estate, identifier: str, size: int) -> float:
        if (instance := estate.instances.get(identifier.lower())) is None:
            return 0.0
        knobs = instance.knobs
        return knobs.latency + (size / knobs.bytes_per_second if knobs.bytes_per_second else 0.0)
