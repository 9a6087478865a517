"""Every shape that crosses a border of firewall_logs: events, step inputs and results, plan, receipts, manifests.

The lake's bytes are described in `schema.py`; these are the JSON documents around them.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from firewall_logs.feeds import RawFormat
from kernel.contracts import Contract
from kernel.metering import Taken

RunId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
ObjectId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0)]
ListKey = Annotated[str, Field(pattern=r"^firewall_logs/lists/[0-9A-Za-z_/-]{1,200}\.jsonl$")]
FileKind = Literal["events", "quarantine", "hourly", "rays", "addresses"]


# ---------------------------------------------------------------- objects and plan


class ObjectRef(Contract):
    """A raw object as an event or a hand names it."""

    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    key: Annotated[str, Field(min_length=1, max_length=1024)]
    version_id: str | None = None


class SourceObject(ObjectRef):
    """One version of a raw object as S3 describes it."""

    etag: Annotated[str, Field(min_length=1)]
    size: Count
    last_modified: AwareDatetime


class ReplayOf(Contract):
    """Whose quarantined rows an object holds.

    Attributes:
        object_id: Of the object that they were refused in.
        reason: They were refused for.
        rows: How many there are: all of the object's with this reason.
    """

    object_id: ObjectId
    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    rows: Annotated[int, Field(ge=1)]


class ListedReplay(ReplayOf):
    """The same in a list of objects, with what the rules need to know of the original.

    Attributes:
        last_modified: Of the original object: its rows are judged, and partitioned if refused again, as they were.
    """

    last_modified: AwareDatetime


class ListedObject(ObjectRef):
    """A line of a list of objects.

    Attributes:
        feed: Whose rows they are, where the key does not tell: of a replay.
        replay_of: What the object is a replay of; None for a raw object.
    """

    feed: str | None = None
    replay_of: ListedReplay | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.feed is None) != (self.replay_of is None):
            raise ValueError("'feed' and 'replay_of' belong together: a raw object's feed follows from its key")
        return self


class Slice(Contract):
    """What is transformed as one: an object, or a range of row groups of a parquet object.

    Attributes:
        object_id: Identity of the object version under this transform version.
        epoch: Fencing number of the lease under which the object was planned.
        index: Position of the slice in its object, from 0.
        slices: How many slices the object has.
        row_groups: First row group and the one after the last; None for the whole object.
        first_row: Position in the object of the slice's first row.
        rows: Rows by the parquet footer, or that a replay must have; None for other NDJSON, whose rows nobody knows
            before reading.
        byte_ranges: Of the object, first byte and the one after the last: all that reading the slice needs, so
            that a worker fetches its row groups and the footer instead of the whole object. None for all of it.
        row_group_bytes: Of the largest of its row groups, encoded and before compression, by the footer; None for
            NDJSON.
        defect: Why the object cannot be read, where the planner already knows.
        replay_of: What the object is a replay of; None for a raw object.
    """

    object_id: ObjectId
    epoch: Annotated[int, Field(ge=1)]
    index: Count
    slices: Annotated[int, Field(ge=1)]
    feed: str
    zone: str
    format: RawFormat
    naive_times: Literal["utc", "refuse"]
    source: SourceObject
    row_groups: tuple[Count, Count] | None = None
    first_row: Count = 0
    rows: Count | None = None
    byte_ranges: tuple[tuple[Count, Count], ...] | None = None
    row_group_bytes: Count | None = None
    defect: str | None = None
    replay_of: ReplayOf | None = None


class Unit(Contract):
    """One line of the plan: slices that one function call, or one task on Fargate, works through."""

    run_id: RunId
    unit: Count
    slices: Annotated[list[Slice], Field(min_length=1)]


# ---------------------------------------------------------------- accounts


class Account(Contract):
    """Rows of a slice, an object or a run, which must balance."""

    rows_in: Count = 0
    rows_out: Count = 0
    quarantined: Count = 0
    duplicates: Count = 0

    @property
    def balances(self) -> bool:
        """Whether every row that came in went somewhere."""
        return self.rows_in == self.rows_out + self.quarantined + self.duplicates

    def __add__(self, other: "Account") -> "Account":
        return Account(
            rows_in=self.rows_in + other.rows_in,
            rows_out=self.rows_out + other.rows_out,
            quarantined=self.quarantined + other.quarantined,
            duplicates=self.duplicates + other.duplicates,
        )


class Omitted(Contract):
    """Names that a document leaves out, as it must not grow with what a source invents (`names.py`).

    Attributes:
        names: How many: of a slice exactly; of a sum at most, as its parts may have left out the same.
        rows: Rows with them.
    """

    names: Count = 0
    rows: Count = 0


class Drift(Contract):
    """What the source sent that its documentation does not know.

    Attributes:
        columns: Rows with a value, by unknown column.
        columns_omitted: The same of the columns that are not named.
        values: Rows by field (raw name) and unseen value.
        values_omitted: By field, the same of the values that are not named.
        time_forms: Rows by form of `Datetime`; not drift in itself, but a new form is worth a look.
    """

    columns: dict[str, Count] = {}
    columns_omitted: Omitted = Omitted()
    values: dict[str, dict[str, Count]] = {}
    values_omitted: dict[str, Omitted] = {}
    time_forms: dict[str, Count] = {}


class LakeFile(Contract):
    """A parquet object of the lake.

    Attributes:
        key: Where it is, in the lake bucket.
        event_date: Its partition; None for quarantine.
        sha256: Of its bytes, in hex.
        min_time: Earliest `event_time` of an events file, else None.
        max_time: Latest `event_time` of an events file, else None.
    """

    kind: FileKind
    key: str
    event_date: date | None = None
    rows: Count
    bytes: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    min_time: AwareDatetime | None = None
    max_time: AwareDatetime | None = None


class Measured(Contract):
    """What one attempt at a slice took; differs from attempt to attempt, so it proves nothing.

    Attributes:
        memory_mb: Memory the function or task was given; it sets a function's price and its share of a CPU.
        vcpus: Processors the task was given; 0 for a function.
        peak_rss_mb: Most memory its process ever had, over all slices so far.
    """

    run_id: RunId
    unit: Count
    started_at: AwareDatetime
    seconds: float
    cpu_seconds: float
    memory_mb: Count
    vcpus: float = 0
    peak_rss_mb: float
    bytes_read: Count
    bytes_written: Count
    s3_gets: Count
    s3_puts: Count


class Proof(Contract):
    """What a slice became: equal for every attempt, whoever made it.

    Attributes:
        columns_seen: Keys or columns the slice has: all documented ones, and the first of the others.
        columns_omitted: How many others there are.
        replay_of: Whose quarantined rows the object holds; None for a raw object.
    """

    object_id: ObjectId
    index: Count
    slices: Annotated[int, Field(ge=1)]
    transform_version: str
    feed: str
    zone: str
    source: SourceObject
    account: Account
    blank_lines: Count = 0
    source_rows: Count
    quarantined_by_reason: dict[str, Count] = {}
    object_defect: str | None = None
    columns_seen: list[str] = []
    columns_omitted: Count = 0
    drift: Drift = Drift()
    files: list[LakeFile] = []
    replay_of: ReplayOf | None = None

    @model_validator(mode="after")
    def _reasons_add_up(self) -> Self:
        if sum(self.quarantined_by_reason.values()) != self.account.quarantined:
            raise ValueError("quarantined_by_reason does not add up to account.quarantined")
        return self


class Receipt(Contract):
    """Written once a slice's files are in the lake; `proof` is what later attempts are compared with."""

    proof: Proof
    measured: Measured


class Manifest(Contract):
    """The commit of one raw object: readers trust the files that manifests name, and no others.

    Attributes:
        columns_seen: Keys or columns the object has: all documented ones, and the first of the others.
        columns_omitted: How many others there are, at most: slices may have left out the same.
        replay_of: Whose quarantined rows the object holds; None for a raw object.
    """

    object_id: ObjectId
    transform_version: str
    feed: str
    zone: str
    source: SourceObject
    account: Account
    quarantined_by_reason: dict[str, Count] = {}
    object_defect: str | None = None
    columns_seen: list[str] = []
    columns_omitted: Count = 0
    drift: Drift = Drift()
    files: list[LakeFile] = []
    replay_of: ReplayOf | None = None


# ---------------------------------------------------------------- process_objects: inputs and results

# "missing" and "unreadable" fail the run, after everything else is committed.
ObjectStatus = Literal["planned", "committed_before", "leased_elsewhere", "ignored", "missing", "unreadable"]


class RunInput(Contract):
    """Input of `process_objects`: objects by name, a list in the runs bucket, or all below a feed's prefix.

    Attributes:
        objects: Raw objects, at most 1,000 (the input of an execution is limited to 256 KiB).
        list_key: Of a list in the runs bucket, a ListedObject as JSON a line: what a sweep or a backfill leaves to do.
        feed: Name of a feed whose objects below `prefix` are to be processed.
        prefix: Narrows a feed; must begin with the feed's own prefix. Default: the feed's prefix.
        max_concurrency: Units at once, where that is to be other than the stack's parameter says.
        engine: Where units are worked on: "auto" leaves to Fargate what is heavy, the others send everything to one.
    """

    objects: Annotated[list[ObjectRef], Field(min_length=1, max_length=1000)] | None = None
    list_key: ListKey | None = None
    feed: str | None = None
    prefix: str | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    engine: Literal["auto", "lambda", "batch"] = "auto"

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if [self.objects, self.list_key, self.feed].count(None) != 2:  # noqa: PLR2004 - all but one
            raise ValueError("give just one of 'objects', 'list_key' and 'feed'")
        if self.prefix is not None and self.feed is None:
            raise ValueError("'prefix' narrows a feed: give 'feed' as well")
        return self


class PlanInput(Contract):
    """Input of PlanRun."""

    run_id: RunId
    input: RunInput
    started_at: AwareDatetime


class PlannedObject(Contract):
    """What PlanRun found out about one object."""

    ref: ObjectRef
    status: ObjectStatus
    object_id: ObjectId | None = None
    feed: str | None = None
    size: Count = 0
    slices: Count = 0
    rows: Count | None = None
    epoch: Count = 0
    note: str | None = None


class RunIntent(Contract):
    """`intent.json` of a run, written before the first claim: what it may come to hold.

    A run that ends between its first claim and its plan is given back by this list.
    """

    run_id: RunId
    object_ids: list[ObjectId]


class RunPlan(Contract):
    """`plan.json` of a run: every object that was asked for and what is to become of it.

    Attributes:
        units: For functions, the lines of `units.jsonl`.
        batch_units: For tasks on Fargate, the lines of `batch.jsonl`.
        taken: By the attempt at PlanRun that wrote it, until it wrote.
    """

    run_id: RunId
    transform_version: str
    started_at: AwareDatetime
    planned_at: AwareDatetime
    units: Count
    batch_units: Count = 0
    objects: list[PlannedObject]
    taken: Taken | None = None


class PlanResult(Contract):
    """Result of PlanRun: where the plan is, and how much work it holds."""

    run_id: RunId
    bucket: str
    plan_key: str
    units_key: str
    units: Count
    batch_key: str
    batch_units: Count
    objects: Count


class UnitResult(Contract):
    """Result of ProcessUnit: for people; nobody decides by it."""

    unit: Count
    slices: Count
    account: Account


class RunStep(Contract):
    """Input of ReconcileRun and CommitRun."""

    run_id: RunId


class Disagreement(Contract):
    """Two witnesses that do not say the same.

    Attributes:
        object_id: Whose; None where the run as a whole is meant.
        check: Which comparison, a word of `reconciliation.py`.
        expected: What the first witness says.
        found: What the second says.
        where: The witnesses.
    """

    object_id: ObjectId | None
    check: str
    expected: str
    found: str
    where: str


class ReconciledObject(Contract):
    """One object of a reconciliation."""

    object_id: ObjectId
    feed: str
    key: str
    account: Account
    footer_rows: Count
    files: Count
    object_defect: str | None = None
    reconciled: bool


class Reconciliation(Contract):
    """`reconciliation.json` of a run: the verdict and everything it rests on.

    Attributes:
        taken: By the attempt at ReconcileRun that wrote it, until it wrote.
    """

    run_id: RunId
    reconciled_at: AwareDatetime
    account: Account
    footer_rows: Count
    objects: list[ReconciledObject]
    disagreements: list[Disagreement]
    taken: Taken | None = None

    @property
    def reconciled(self) -> bool:
        """Whether no witness contradicts another."""
        return not self.disagreements


class ReconcileResult(Contract):
    """Result of ReconcileRun."""

    run_id: RunId
    reconciled: bool
    disagreements: Count
    first: str | None
    account: Account


class RunSummary(Contract):
    """`summary.json` of a run: its result, its speed and its price.

    Attributes:
        account: Of the objects this run committed.
        objects: Asked for; of them `objects_skipped` were done before, held by another run, or no feed's.
        objects_refused: Why, by object that reconciled and could not be committed all the same: another run has taken
            it over, or another manifest stands in its place. If there is one, the run fails after this.
        objects_defect: Committed as quarantined whole.
        bytes_in: Of the raw objects.
        bytes_out: Of all files of the lake.
        seconds: From the start of the execution to the end of the commit.
        processing_seconds: From the start of the first slice to the end of the last.
        rows_per_second: Rows of the slices this run made itself, over `processing_seconds`.
        lag_seconds_max: Longest time from an object's LastModified to its commit.
        event_lag_seconds: From the latest event to the commit; None where there is no event.
        usd: Estimate by the run's own counters and `kernel.prices`: the functions of the run (of ProcessUnit the slices
            that this run made itself), their requests, its state transitions and the key's. `docs/firewall_logs.md`
            (Cost) names what is left out.
        usd_per_million_rows: By the rows of these slices.
    """

    run_id: RunId
    transform_version: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    reconciled: bool
    account: Account
    quarantined_by_reason: dict[str, Count]
    objects: Count
    objects_committed: Count
    objects_refused: dict[ObjectId, str] = {}
    objects_skipped: Count
    objects_defect: Count
    units: Count
    slices: Count
    files: Count
    bytes_in: Count
    bytes_out: Count
    drift: Drift
    seconds: float
    processing_seconds: float
    rows_per_second: float
    lag_seconds_max: float
    event_lag_seconds: float | None
    usd: float
    usd_by_component: dict[str, float]
    usd_per_million_rows: float | None
    feeds: dict[str, Account]


class CommitResult(Contract):
    """Result of CommitRun, and the detail of `firewall_logs.RunCommitted`.

    Attributes:
        reconciled: Whether nothing contradicts anything; if not, the run fails after this.
        objects_committed: By this run.
        objects_refused: Not committed although they reconciled; if there are any, the run fails after this.
        objects_committed_before: By an earlier one.
        objects_leased_elsewhere: Left to the run that holds them.
    """

    run_id: RunId
    reconciled: bool
    objects_committed: Count
    objects_refused: Count
    objects_committed_before: Count
    objects_leased_elsewhere: Count
    account: Account
    usd: float
    summary_key: str


class FailureInput(Contract):
    """Input of RecordFailure, from the machine's Catch or from the event of an execution that ended uncaught.

    Attributes:
        objects: How many the run was asked for by name; 0 for a feed, or where nobody knows.
    """

    run_id: RunId
    state: str
    error: str
    cause: str
    objects: Count = 0


class FailureRecord(Contract):
    """`failure.json` of a run: the evidence.

    Attributes:
        objects_failed: Objects that were claimed and are given back, and those that could not be found or read; of a
            run whose failure was caught before its plan, those it was given by name. One at least.
    """

    run_id: RunId
    state: str
    error: str
    cause: str
    recorded_at: AwareDatetime
    objects_failed: Count
