"""What the steps of lock_objects send each other."""

from datetime import datetime
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from data_protection.checks.s3_lock import Mode
from data_protection.contracts import PlaceRef
from data_protection.locations import lock_prefix, simulation_prefix
from data_protection.locking.retention import Outcome
from data_protection.locking.tally import Amount
from data_protection.locking.terms import Terms
from data_protection.remediation.policy import Window, next_opening
from data_protection.resources import Kind, Resource
from kernel.contracts import Contract, MachineInput
from kernel.errors import ValidationError


class BeginLock(MachineInput):
    """Asks to simulate the lock of a bucket, or to apply what was simulated.

    Attributes:
        requested_by: Who asks, to simulate or to apply, as AWS names the caller; who asks may not approve.
        account: Whose bucket it is; empty for the deployment's own.
        bucket, prefix, mode, days, at_least_days: As `locking.terms.Terms`.
        named: What cannot be taken back and is asked for by name.
        apply: Hash of a simulation that was approved; instead of a bucket.
    """

    described: ClassVar = "docs/data_protection.md#simulate"

    requested_by: str = Field(min_length=1)
    account: str = Field(default="", pattern=r"^(\d{12})?$")
    bucket: str = ""
    prefix: str = ""
    mode: Mode = Mode.GOVERNANCE
    days: int | None = None
    at_least_days: int = 0
    named: tuple[Literal["COMPLIANCE"], ...] = ()
    apply: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if bool(self.bucket) == bool(self.apply):
            raise ValueError("give a bucket, to simulate its lock, or the hash of a simulation, to apply it")
        if self.bucket:
            try:
                _ = self.terms
            except ValidationError as invalid:
                raise ValueError(str(invalid)) from None
        return self

    @property
    def terms(self) -> Terms:
        """The terms that are to be simulated.

        Raises:
            ValidationError: They do not hold, or one is missing.
        """
        given = self.model_dump(include=Terms.model_fields.keys() - {"at"}, exclude_none=True)
        return Terms.model_validate({**given, "at": self.time})


class LockJob(Contract):
    """What all steps of a run know.

    Attributes:
        run: Name of the execution.
        place: Of the bucket.
        terms: Of the lock.
        requested_by: Who asked for the simulation.
        simulation: Hash of what is applied; empty while it is being simulated.
        windows: In which changes may begin; none, at any time.
    """

    run: str
    place: PlaceRef
    terms: Terms
    requested_by: str
    simulation: str = ""
    windows: tuple[Window, ...] = ()

    @property
    def bucket(self) -> Resource:
        """The bucket."""
        return Resource(Kind.BUCKET, self.place.place, self.terms.bucket)

    @property
    def folder(self) -> str:
        """Below which the run keeps what it works on; all runs that apply a simulation have the same."""
        return lock_prefix(self.simulation) if self.simulation else simulation_prefix(self.run)

    def next_opening(self, now: datetime) -> datetime:
        """Return now where changes may begin, else when they may next."""
        return next_opening(self.windows, now)


class LockBegun(Contract):
    """How a run begins.

    Attributes:
        job: What it works on.
        opens: When to begin once more, RFC 3339, as changes may not begin now; empty for a run that has begun.
    """

    job: LockJob
    opens: str = ""


Part = Literal["present", "later"]
"""`later` is what was written since the listing of what was present began."""


class ListVersions(Contract):
    """Asks to go on listing."""

    job: LockJob
    part: Part


class VersionsListed(Contract):
    """How far a listing is.

    Attributes:
        done: Whether that was all.
        shards: There are so far.
        entries: Versions and delete markers so far.
        items: Object of the lake with a line a shard; it is there once all is done.
        opens: When what is listed may be locked, RFC 3339.
    """

    done: bool
    shards: int
    entries: int
    items: str
    opens: str


class ShardItem(Contract):
    """One shard of a listing, as a Map reads it.

    Attributes:
        number: From 0.
        key: Of its versions in the lake.
    """

    number: int
    key: str


class WorkOnShard(Contract):
    """Asks to survey a shard, or to lock it."""

    job: LockJob
    part: Part
    shard: ShardItem


class ShardDone(Contract):
    """What became of the versions of a shard.

    Attributes:
        run: Which did it.
        number: Of the shard.
        outcomes: Versions and bytes by what became of them.
        refused: Object of the lake that says of each refused version why; empty for none.
    """

    run: str
    number: int
    outcomes: dict[Outcome, Amount]
    refused: str = ""

    @property
    def entries(self) -> int:
        """How many versions and delete markers it had."""
        return sum(amount.versions for amount in self.outcomes.values())


class BucketConfigured(Contract):
    """How far a bucket is.

    Attributes:
        done: Whether versioning and Object Lock are as they are to be.
        wait_seconds: How long to wait before the next look.
    """

    done: bool
    wait_seconds: int = 0


class FinishLock(Contract):
    """Asks for the end of a run: the simulation's document, or the report of a lock."""

    job: LockJob


class LockSimulated(Contract):
    """What a simulation came to.

    Attributes:
        simulation: Hash, which people approve.
        locked, size: Versions that would be retained, and their bytes.
        until: When the last retention would end; None for none.
        refused: Versions that would be refused.
        approvers: How many people must approve.
        prefix: Of the files in the lake bucket.
    """

    simulation: str
    locked: int
    size: int
    until: datetime | None
    refused: int
    approvers: int
    prefix: str


class LockReported(Contract):
    """What a lock came to.

    Attributes:
        simulation: Hash of what was applied.
        outcomes: Versions by what became of them.
        later: Likewise, of those that were written meanwhile.
        complete: Whether all counts add up and nothing was refused.
        reason: Why it is not complete; else empty.
        prefix: Of the files in the lake bucket.
        head: Of the chain of evidence of the lock, whose last record names the heads of the others.
    """

    simulation: str
    outcomes: dict[Outcome, int]
    later: dict[Outcome, int]
    complete: bool
    reason: str
    prefix: str
    head: str
