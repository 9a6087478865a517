"""The documents of a replay: what was chosen, the claim on it, and what became of it."""

from datetime import date
from typing import Annotated, Self

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from firewall_logs.contracts import Account, Count, ListKey, ObjectId, ReplayOf
from kernel.contracts import Contract

# The run is named after the replay, within the 80 letters of an execution's name.
ReplayId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,70}$")]


class ReplayInput(Contract):
    """Input of `replay_quarantine`: which quarantined rows are to be judged again.

    Attributes:
        feed: Of the rows.
        start: `from`: first `object_date`.
        end: `to`: last `object_date`, itself included.
        reasons: Which reasons. Default: all.
        keys: Keys of raw objects. Default: all.
        dry_run: Whether to end with the counts.
        max_concurrency: Units at once.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    feed: str | None = None
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")
    reasons: Annotated[list[str], Field(min_length=1)] | None = None
    keys: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    dry_run: bool = True
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if self.feed is None and self.keys is None:
            raise ValueError("give 'feed' or 'keys': a replay of everything is never what is meant")
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"'from' ({self.start}) is later than 'to' ({self.end})")
        return self


class ReplayClaim(Contract):
    """The one replay of an object's quarantined rows of one reason.

    Attributes:
        key: Of the object that holds these rows, in the runs bucket.
    """

    object_id: ObjectId
    reason: str
    rows: Count
    key: str


class PlanReplayInput(Contract):
    """Input of PlanReplay."""

    execution: ReplayId
    input: ReplayInput


class PlanReplayResult(Contract):
    """Result of PlanReplay.

    Attributes:
        rows: To be judged again, by reason.
        objects: That these rows are of.
        replayed_before: Rows of the choice that were replayed already, by reason: what is bad again is quarantine of
            the object that they were replayed from.
        whole_objects: Objects of the choice that were quarantined whole, by reason: they have no rows to replay.
        told: The same in words.
        replays: Objects to be processed.
        list_key: Their list; None where there is none, or in a dry run.
    """

    replay_id: ReplayId
    dry_run: bool
    rows: dict[str, Count]
    objects: Count
    replayed_before: dict[str, Count]
    whole_objects: dict[str, Count]
    told: str
    replays: Count
    list_key: ListKey | None = None


class RecordReplayInput(Contract):
    """Input of RecordReplay."""

    replay_id: ReplayId
    list_key: ListKey


class ReplayOutcome(Contract):
    """What became of the rows of one object and reason.

    Attributes:
        account: Of the object they were replayed from; None where it is not committed.
    """

    replay_of: ReplayOf
    key: str
    account: Account | None = None
    quarantined_by_reason: dict[str, Count] = {}


class ReplayRecord(Contract):
    """What became of a replay, and its evidence.

    Attributes:
        account: Of what is committed.
        open: Objects that are not committed.
    """

    replay_id: ReplayId
    recorded_at: AwareDatetime
    account: Account
    quarantined_by_reason: dict[str, Count]
    open: Count
    outcomes: list[ReplayOutcome]


class RecordReplayResult(Contract):
    """Result of RecordReplay."""

    replay_id: ReplayId
    account: Account
    quarantined_by_reason: dict[str, Count]
    open: Count
    record_key: str
