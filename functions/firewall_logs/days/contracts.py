"""The documents of event days: the index of what came, the plan of a seal, its receipts, the sealed day.

`docs/adr/0007-sealed-days.md` says how they hang together.
"""

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from firewall_logs.contracts import Account, Count, Disagreement, LakeFile, ObjectId, Omitted, RunId
from kernel.contracts import Contract, Document

DayStatus = Literal["OPEN", "SEALED", "REOPENED", "BLOCKED"]
Level = Literal["pass", "warn", "fail"]
Version = Annotated[int, Field(ge=1)]


class DayObject(Contract):
    """What one committed object brought to one day: an item of the day index.

    Attributes:
        event_date: Of its rows; of an object without rows in the lake the UTC date of its LastModified.
        source_id: Under which its manifest stands.
        rows: In the lake's events of that day, 0 where it only brought quarantine.
    """

    event_date: date
    object_id: ObjectId
    source_id: ObjectId
    feed: str
    rows: Count


class Day(Contract):
    """The state of a day, for those who run the lake.

    Attributes:
        version: Of the newest seal, 0 before the first.
        cleaned: The newest version whose inputs are removed.
        as_of: Until when objects were looked for by that seal.
        rows: Events of that seal by feed: later days are compared with it.
        reason: Why it is blocked, or what reopened it.
        held_until: When the seal that is at work on it has lost it at the latest; None where none is.
    """

    event_date: date
    status: DayStatus = "OPEN"
    version: Count = 0
    cleaned: Count = 0
    as_of: AwareDatetime | None = None
    rows: dict[str, Count] = {}
    reason: str | None = None
    held_until: AwareDatetime | None = None


# ---------------------------------------------------------------- the plan of a seal


class Place(Contract):
    """A place in the order of a sealed day, which goes by host (null first), then instant.

    Attributes:
        second: Of the hour.
    """

    host: str | None
    hour: Annotated[int, Field(ge=0, le=23)]
    second: Annotated[int, Field(ge=0, le=3599)] = 0


class Cut(Contract):
    """A range of a day's order that becomes one file of each table.

    Attributes:
        start: Its first place; None for the beginning.
        end: The place after its last; None for the end.
        rows: By the hourly counts of the inputs, before duplicates across objects are removed; where a host's hour is
            divided, by the times of its events.
    """

    start: Place | None
    end: Place | None
    rows: Count


class FeedArrivals(Contract):
    """What a feed's objects brought to a day, by their manifests.

    Attributes:
        objects: With rows of the day, or quarantined whole and last modified on it.
        defects: Of them, quarantined whole.
        account: Of these objects, whole: rows of other days included.
        spread_days: Most event dates that one of the objects has.
        far_rows: Rows of these objects whose event date is more than a day from the day the object arrived on.
    """

    objects: Count = 0
    defects: Count = 0
    account: Account = Account()
    spread_days: Count = 0
    far_rows: Count = 0


class SealPlan(Contract):
    """`plan.json` of a seal: what goes in, and the files that are to come out.

    Attributes:
        seal_id: Name of the execution.
        version: Which the day is to get.
        as_of: Objects that S3 had by then are in it.
        inputs_id: Identity of the inputs, their order, the cuts and the code that compacts: of the outputs' bytes.
        objects: Every object whose rows are in the inputs, those of earlier versions included.
        events: Input files of events, in the order that decides which of two equal rows is the first.
        hourly: Input files of hourly counts.
        cuts: In order; together they are the day.
        arrivals: By feed.
        transform_versions: Of the objects' manifests.
        late_objects: Of `objects`, those that the version before lacks; 0 for the first version.
        late_rows: Their rows of the day.
    """

    seal_id: RunId
    event_date: date
    version: Version
    as_of: AwareDatetime
    inputs_id: ObjectId
    objects: list[ObjectId]
    events: list[LakeFile]
    hourly: list[LakeFile]
    cuts: list[Cut]
    arrivals: dict[str, FeedArrivals] = {}
    transform_versions: list[str] = []
    late_objects: Count = 0
    late_rows: Count = 0


class PlacedRowGroup(Contract):
    """A row group of an input: where it is, and what the statistics say of the places of its rows.

    Attributes:
        rows: How many.
        start: Offset of its first byte.
        end: Offset after its last byte.
        low: No row has an earlier host, or an earlier second of whatever hour; None where nothing is known.
        high: Nor a later one.
    """

    rows: Count
    start: Count
    end: Count
    low: Place | None
    high: Place | None


class PlannedInput(Contract):
    """One line of `inputs.jsonl` of a seal: a file of events, in the order of the plan.

    Attributes:
        bytes: Of the file.
        footer: Offset of its footer.
        row_groups: In file order.
    """

    key: str
    bytes: Count
    footer: Count
    row_groups: list[PlacedRowGroup]


class CompactionUnit(Contract):
    """One line of `units.jsonl` of a seal: one cut, which one function call compacts.

    Attributes:
        inputs_id: Of the plan.
    """

    seal_id: RunId
    event_date: date
    index: Count
    inputs_id: ObjectId
    cut: Cut


class CompactionTask(Contract):
    """One line of `batch.jsonl` of a seal: cuts that one task on Fargate compacts, one after the other."""

    seal_id: RunId
    event_date: date
    units: list[CompactionUnit]


# ---------------------------------------------------------------- what a cut became


class ColumnProfile(Contract):
    """A column of a feed's rows.

    Attributes:
        present: Rows with a value.
        low: Smallest value of an int64 column, else None.
        high: Largest.
        values: Rows by value (lower case) of an enumerated field, the first 1,000 by alphabet; else empty.
        values_omitted: The others.
    """

    present: Count = 0
    low: int | None = None
    high: int | None = None
    values: dict[str, Count] = {}
    values_omitted: Omitted = Omitted()


class FeedProfile(Contract):
    """A feed's rows in a cut or a day; profiles of cuts add up to that of the day.

    Attributes:
        rows: After duplicates across objects were removed.
        duplicates: Those that were removed.
        columns: Of the events table, by name.
    """

    rows: Count = 0
    duplicates: Count = 0
    columns: dict[str, ColumnProfile] = {}


class CompactionProof(Contract):
    """What a cut became: equal for every attempt, whoever made it.

    Attributes:
        rows_in: Rows of the inputs in this cut; equal to the cut's `rows`.
        duplicates: Rows that repeat another one of the cut in every column, removed.
        files: One of each table; none where the cut is empty.
    """

    inputs_id: ObjectId
    index: Count
    rows_in: Count
    rows_out: Count
    duplicates: Count
    files: list[LakeFile]
    profiles: dict[str, FeedProfile]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        if self.rows_in != self.rows_out + self.duplicates:
            raise ValueError("rows_in is not rows_out + duplicates")
        return self


class CompactionMeasured(Contract):
    """What one attempt at a cut took."""

    seal_id: RunId
    started_at: AwareDatetime
    seconds: float
    cpu_seconds: float
    memory_mb: Count
    peak_rss_mb: float
    bytes_read: Count
    bytes_written: Count
    s3_gets: Count
    s3_puts: Count


class CompactionReceipt(Contract):
    """Written once a cut's files are in the lake."""

    proof: CompactionProof
    measured: CompactionMeasured


class CompactionUnitResult(Contract):
    """Result of CompactUnit: for people; nobody decides by it."""

    index: Count
    rows_in: Count
    rows_out: Count
    duplicates: Count


# ---------------------------------------------------------------- quality


class Verdict(Contract):
    """What a rule says of a feed on a day.

    Attributes:
        rule: Its name.
        measure: What it measures.
        figure: The measured value; None where there is nothing to measure.
        limit: The limit that was broken, or the nearest one (of `fail`, else of `warn`); None where the rule has none,
            or there is nothing to measure.
        detail: The same in words: which column or value, of how many rows; of a broken limit also why it matters.
    """

    feed: str
    rule: str
    measure: str
    level: Level
    figure: float | None
    limit: float | None
    detail: str


# ---------------------------------------------------------------- the sealed day


class SealedDay(Contract):
    """A version of a day: the lake's truth about it, from the moment this document exists.

    Attributes:
        transform_versions: Of the objects' manifests.
        account: Rows of the inputs (`rows_in`), of the files (`rows_out`), and duplicates across objects.
        rows: Of the files, by feed.
        files: All files of the day: events, hourly counts and lookup tables.
        replaced: Keys of the inputs, which are removed afterwards.
        quality: Every rule's verdict.
        waived: Failing rules that somebody accepted for this seal, as `feed/rule`.
    """

    event_date: date
    version: Version
    seal_id: RunId
    as_of: AwareDatetime
    transform_versions: list[str]
    objects: list[ObjectId]
    account: Account
    rows: dict[str, Count]
    arrivals: dict[str, FeedArrivals]
    files: list[LakeFile]
    replaced: list[str]
    quality: list[Verdict]
    waived: list[str] = []
    late_objects: Count = 0
    late_rows: Count = 0


class DaySealed(Contract):
    """Detail of `firewall_logs.DaySealed`: consumers see it at least once and know it by day and version.

    Attributes:
        document_key: Of the SealedDay, in the lake bucket.
    """

    event_date: date
    version: Version
    lake_bucket: str
    document_key: str
    rows: Count
    files: Count
    late_rows: Count


class DayReopened(Contract):
    """Detail of `firewall_logs.DayReopened`: rows came for a day that was sealed."""

    event_date: date
    version: Version
    run_id: RunId
    objects: Count
    rows: Count


# ---------------------------------------------------------------- seal_day: inputs and results


class SealInput(Contract):
    """Input of `seal_day`.

    Attributes:
        date: The day, in UTC.
        waive: Rules to accept although they fail, as `feed/rule`; noted in the sealed day.
    """

    date: date
    waive: list[Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]] = []


class SweepInput(Contract):
    """Input of SweepDay.

    Attributes:
        started_at: Of the execution.
        round: How often the source was swept before by this seal.
    """

    seal_id: RunId
    started_at: AwareDatetime
    round: Count
    input: SealInput


class SweptList(Contract):
    """A list of objects, and the name of the run that is to process it."""

    name: RunId
    list_key: str


class SurveyUnit(Contract):
    """Input of SurveyUnit: a part of a day's objects, by the beginnings of their identities, which are spread evenly.

    Attributes:
        part: Which, from 0.
        parts: Of how many.
    """

    seal_id: RunId
    event_date: date
    part: Count
    parts: Annotated[int, Field(ge=1, le=10_000)]

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.part >= self.parts:
            raise ValueError("there is no such part")
        return self

    @property
    def first_and_last(self) -> tuple[str, str]:
        """Between which beginnings the identities of its objects are."""
        first, after = (number * _IDENTITIES // self.parts for number in (self.part, self.part + 1))
        return f"{first:08x}", f"{after - 1:08x}"


# Of the first eight hex digits.
_IDENTITIES: Final = 1 << 32


class SweepResult(Contract):
    """Result of SweepDay: lists of objects that no event brought in, each the input of a run.

    Attributes:
        listed: Objects that the source has within the day's window.
        missing: Of them, not committed.
        held: Of these, in the hands of a run that is still at work.
        first: The first missing object, for people; None where none is.
        refusal: Why no run is to be started for so many; None where it is.
        lists: Runs to start for them.
        surveys: Parts in which the day is to be surveyed; none where it has few objects.
        unfinished: Version that is committed although the seal that made it ended before its last step.
    """

    seal_id: RunId
    event_date: date
    as_of: AwareDatetime
    round: Count
    listed: Count
    missing: Count
    held: Count
    first: str | None = None
    refusal: str | None = None
    lists: list[SweptList] = []
    surveys: list[SurveyUnit] = []
    unfinished: Version | None = None


class SurveyUnitResult(Contract):
    """Result of SurveyUnit: for people; nobody decides by it."""

    part: Count
    objects: Count


class SealStep(Contract):
    """Input of ReconcileDay and ValidateDay.

    Attributes:
        surveys: Parts in which the day was surveyed; 0 where ReconcileDay is to read everything.
        source_objects: As SweepDay counted them.
        waive: Of the seal's input.
    """

    seal_id: RunId
    event_date: date
    as_of: AwareDatetime
    source_objects: Count = 0
    surveys: Count = 0
    waive: list[str] = []


class ReconcileDayResult(Contract):
    """Result of ReconcileDay.

    Attributes:
        version: Which the day is to get.
        unchanged: Whether the newest version has everything already: then there is nothing to seal.
        first: The first disagreement, in words; None where the witnesses agree.
        units: Cuts to compact in functions, by `units_key` in `bucket`.
        batch_units: Tasks on Fargate that compact the others, by `batch_key`.
    """

    seal_id: RunId
    event_date: date
    version: Version
    unchanged: bool
    disagreements: Count
    first: str | None
    bucket: str
    units_key: str
    units: Count
    batch_key: str
    batch_units: Count


class ValidateDayResult(Contract):
    """Result of ValidateDay.

    Attributes:
        sealable: Whether nothing contradicts anything, and no rule fails that is not waived.
        reason: Why not, in words; None where it is.
        levels: Verdicts by level.
    """

    seal_id: RunId
    event_date: date
    version: Version
    sealable: bool
    reason: str | None
    levels: dict[Level, Count]


class VersionStep(Contract):
    """Input of SealDay and CleanDay: a version of a day, planned by this seal or left unfinished by an earlier one."""

    seal_id: RunId
    event_date: date
    version: Version


class SealResult(Contract):
    """Result of SealDay and of `seal_day`.

    Attributes:
        reopened: Whether rows came between the plan and the seal.
    """

    event_date: date
    version: Version
    status: DayStatus
    rows: Count
    files: Count
    late_objects: Count
    reopened: bool


class SealIntent(Contract):
    """`intent.json` of a seal, written before it takes its day: which day it may come to hold."""

    seal_id: RunId
    event_date: date


class BlockInput(Contract):
    """Input of BlockDay, from the machine or from the event of an execution that ended uncaught."""

    seal_id: RunId
    error: str
    cause: str


class DayBlocked(Contract):
    """Detail of `firewall_logs.DayBlocked`, and `blocked.json` of the seal.

    Attributes:
        event_date: None where the seal ended before it asked for its day.
    """

    seal_id: RunId
    event_date: date | None
    error: str
    cause: str
    recorded_at: AwareDatetime


class DayReconciliation(Contract):
    """`reconciliation.json` of a seal: the witnesses of a day, and where they disagree.

    Attributes:
        source_objects: Objects of the source within the window of the day.
        objects: Objects of the day by the day index.
        raw_rows: Rows of those that are new, by their raw footers or the second count of their lines.
        raw_unknown: New objects that nobody can count: they were quarantined whole, or raw and receipts are gone.
        manifest_rows: Rows of the new objects by their manifests.
        footer_rows: Events that go into the next version, by the footers of the files.
        index_rows: Events of the day by the day index, before duplicates across objects were removed.
    """

    seal_id: RunId
    event_date: date
    as_of: AwareDatetime
    source_objects: Count
    objects: Count
    raw_rows: Count
    raw_unknown: Count
    manifest_rows: Count
    footer_rows: Count
    index_rows: Count
    disagreements: list[Disagreement]


# ---------------------------------------------------------------- schedules


class Scheduled(Document):
    """What is used of an EventBridge scheduled event; its other fields are AWS's business.

    Attributes:
        time: Which the schedule was for.
    """

    time: AwareDatetime


class StartedSeals(Contract):
    """Result of StartSeals.

    Attributes:
        days: Whose seals were started.
        waiting: Due as well, but for the next time.
    """

    days: list[date]
    waiting: list[date]


class Watched(Contract):
    """Result of WatchDays.

    Attributes:
        seal_delay_seconds: For how long the day before waits for its seal since that was to begin.
        days_unsealed: Days that should be sealed and are not.
    """

    seal_delay_seconds: float
    days_unsealed: Count


# ---------------------------------------------------------------- what sealed days become elsewhere


class OcsfProjected(Contract):
    """What ProjectOcsf did for a day.

    Attributes:
        version: The newest of the day, which may be later than the one that was announced.
        objects: That the version has.
        written: Of them, by this call.
        removed: Objects of earlier versions.
    """

    event_date: date
    version: Version
    rows: Count
    objects: Count
    written: Count
    removed: Count
