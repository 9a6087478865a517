"""The rate limit that all actions of an account share in a region."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RateLimit:
    """How many calls are answered.

    AWS publishes no figure; about 14 calls a second were observed (rdstail), and a limit by the minute
    (pganalyze/collector#851).

    Attributes:
        rate: Calls a second, on average.
        burst: Calls at once after a pause.
        per_minute: Calls in any minute counted from the first of them; None: no such limit.
        complete_files: Whether complete files count; whether they do on AWS is not known.
        real_time: Whether time is the machine's; else it is the virtual clock's.
    """

    rate: float = 14.0
    burst: int = 14
    per_minute: int | None = None
    complete_files: bool = True
    real_time: bool = True


@dataclass
class TokenBucket:
    """Counts calls against a limit; time is seconds on any clock that does not go back."""

    limit: RateLimit
    _tokens: float = field(init=False)
    _at: float | None = field(init=False, default=None)
    _minute: float = field(init=False, default=0.0)
    _calls: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._tokens = float(self.limit.burst)

    def take(self, now: float) -> bool:
        """Take one call; False if there is none left."""
        if self._at is None:
            self._at = self._minute = now
        self._tokens = min(self.limit.burst, self._tokens + (now - self._at) * self.limit.rate)
        self._at = now
        if now - self._minute >= 60:  # noqa: PLR2004 - seconds of a minute
            self._minute, self._calls = now, 0
        if self._tokens < 1 or (self.limit.per_minute is not None and self._calls >= self.limit.per_minute):
            return False
        self._tokens -= 1
        self._calls += 1
        return True
