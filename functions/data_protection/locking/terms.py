"""The terms of a lock: what is asked for, as one document."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import Field, field_validator

from data_protection.checks.s3_lock import Mode
from kernel.contracts import Contract

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
_MOST_DAYS: Final = 36_500


class Terms(Contract):
    """What is asked for of a bucket.

    Attributes:
        bucket: Its name.
        prefix: Of the keys whose present versions are locked; empty for all. The default retention of new objects knows
            no prefixes.
        mode: Of retention.
        days: For how long from when a version was written, as default retention has it.
        at_least_days: For how long from `at`, however old a version is; 0 to leave alone what is past its days.
        at: When it was asked for, to the second.
    """

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: str = ""
    mode: Mode
    days: int = Field(ge=1, le=_MOST_DAYS)
    at_least_days: int = Field(default=0, ge=0, le=_MOST_DAYS)
    at: datetime

    @field_validator("at")
    @classmethod
    def _is_a_second(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("the time has no zone")
        return at.replace(microsecond=0)

    def retain_until(self, written: datetime) -> datetime:
        """Return until when a version is to be retained; a time in the past for one that nothing is asked of."""
        by_age = written.replace(microsecond=0) + timedelta(days=self.days)
        return max(by_age, self.at + timedelta(days=self.at_least_days)) if self.at_least_days else by_age
