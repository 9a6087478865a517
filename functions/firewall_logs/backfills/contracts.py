"""The documents of a backfill: its request, its plan, its progress, and what its steps are asked and answer."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from firewall_logs.contracts import Count, ListKey, RunInput
from kernel.contracts import Contract

# Runs are named `<backfill>-<wave>-<attempt>`, within the 80 letters of an execution's name.
BackfillId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,60}$")]
Usd = Annotated[float, Field(ge=0)]
Engine = Literal["auto", "lambda", "batch"]
Next = Literal["run", "wait", "complete", "left", "paused", "superseded", "stopped", "handed_over"]


class BackfillInput(Contract):
    """Input of `backfill`: what is to be brought in, or which backfill is to go on.

    Attributes:
        feed: Name of a feed.
        start: `from`: first day of arrival, in UTC (`arrival` in `backfills/listing.py` says what that is).
        end: `to`: last day of arrival, itself included.
        prefix: Narrows a feed; must begin with the feed's own prefix.
        list_key: Of a list in the runs bucket, of any length.
        resume: A backfill that was planned, paused, stopped or killed.
        dry_run: Whether to end with the plan. Default: yes, but no for `resume`.
        max_usd: At what cost the backfill stops; the stack's parameter where it is not given.
        max_concurrency: Units at once.
        engine: Where units run.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    feed: str | None = None
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")
    prefix: str | None = None
    list_key: ListKey | None = None
    resume: BackfillId | None = None
    dry_run: bool | None = None
    max_usd: Annotated[float, Field(gt=0)] | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    engine: Engine | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if [self.feed, self.list_key, self.resume].count(None) != 2:  # noqa: PLR2004 - all but one
            raise ValueError("give just one of 'feed', 'list_key' and 'resume'")
        if self.feed is None and (self.start or self.end or self.prefix):
            raise ValueError("'from', 'to' and 'prefix' narrow a feed: give 'feed' as well")
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"'from' ({self.start}) is later than 'to' ({self.end})")
        return self

    @property
    def only_plans(self) -> bool:
        """Whether the backfill ends with its plan."""
        return self.resume is None if self.dry_run is None else self.dry_run


class Order(Contract):
    """`order.json`: who works on a backfill, and within which limits.

    Attributes:
        execution: The latest one that planned or resumed it; an earlier one that still runs gives way.
    """

    execution: str
    max_usd: Usd
    max_concurrency: int | None = None
    engine: Engine | None = None


class Pause(Contract):
    """`pause.json`: somebody asked an execution to end at its next wave."""

    execution: str


class Wave(Contract):
    """What one run of `process_objects` is to bring in.

    Attributes:
        wave: Its number, from 0; its objects are in `waves/<number>.jsonl`, a SourceObject a line.
        bytes: Of its objects.
        rows: Estimated.
        units: Estimated, by engine.
        seconds: Of functions' or tasks' time, estimated.
        usd: Estimated, by component.
    """

    wave: Count
    objects: Count
    bytes: Count
    rows: Count
    units: dict[str, Count]
    seconds: float
    usd: dict[str, Usd]


class Density(Contract):
    """Rows and bytes of objects whose rows are known."""

    rows: Count = 0
    bytes: Count = 0


class Planning(Contract):
    """`planning.json`: how far the listing has come; another call goes on from here.

    Attributes:
        cursor: The last key, or the last line of a list, that is taken care of; None at the beginning.
        listed: Logs of the range.
        done: Of them, in the lake already.
        ignored: Lines of a list that are no feed's logs, or gone.
        measured: NDJSON objects of the lake that were met on the way.
        sampled: Parquet objects whose footers were read.
    """

    cursor: str | None = None
    complete: bool = False
    listed: Count = 0
    listed_bytes: Count = 0
    done: Count = 0
    done_bytes: Count = 0
    ignored: Count = 0
    measured: Density = Density()
    sampled: Density = Density()
    waves: list[Wave] = []


class Estimate(Contract):
    """What is left to do, and what it will take.

    Attributes:
        rows_from: What the number of rows rests on.
        units: By engine.
        seconds: From start to end.
    """

    objects: Count
    bytes: Count
    rows: Count
    rows_from: str
    units: dict[str, Count]
    seconds: float
    usd: Usd
    usd_by_component: dict[str, Usd]


class BackfillPlan(Contract):
    """`plan.json`: what is to be done, wave by wave."""

    backfill_id: BackfillId
    transform_version: str
    planned_at: AwareDatetime
    request: BackfillInput
    planning: Planning
    estimate: Estimate


class WaveProgress(Contract):
    """How far a wave is.

    Attributes:
        attempt: Runs that have ended; the next one has the number after it.
        started: Whether that next one was asked for.
        tries: Runs that the present execution asked for.
        left: Objects that are not in the lake, once a run has ended.
        lasting: Of them, those that another run would not help: gone, not readable, or no feed's.
        usd: By the summaries of its runs.
    """

    wave: Count
    done: bool = False
    attempt: Count = 0
    started: bool = False
    tries: Count = 0
    left: Count = 0
    lasting: Count = 0
    committed: Count = 0
    rows: Count = 0
    usd: Usd = 0


class Progress(Contract):
    """`progress.json`: written by NextWave, and only a memory: runs, ledger and manifests are the truth.

    Attributes:
        execution: Whose tries, rounds and false starts these are; it may have inherited them.
        rounds: Further rounds over what was left.
        false_starts: Runs that were asked for and never began.
        decisions: That this execution was given: its history grows with them.
        hand_overs: How often an execution was to hand over to another, by this backfill.
        successor: The execution that goes on in its place, once it was told to hand over.
        predecessor: The one that it goes on for.
        status: What NextWave decided last.
    """

    execution: str
    rounds: Count = 0
    false_starts: Count = 0
    decisions: Count = 0
    hand_overs: Count = 0
    successor: str | None = None
    predecessor: str | None = None
    status: Next = "wait"
    waves: list[WaveProgress]

    @property
    def usd(self) -> float:
        """What the ended runs cost."""
        return sum(wave.usd for wave in self.waves)


# ---------------------------------------------------------------- steps


class PlanBackfillInput(Contract):
    """Input of PlanBackfill."""

    execution: str
    input: BackfillInput


class PlanBackfillResult(Contract):
    """Result of PlanBackfill.

    Attributes:
        planned: Whether the plan is complete; if not, the function is to be called again.
        listed: Logs seen so far.
    """

    backfill_id: BackfillId
    planned: bool
    dry_run: bool
    plan_key: str
    listed: Count
    done: Count
    waves: Count
    estimate: Estimate | None = None


class NextWaveInput(Contract):
    """Input of NextWave.

    Attributes:
        trouble: Why the last run could not be started or failed, if it did.
    """

    backfill_id: BackfillId
    execution: str
    trouble: str


class WaveDecision(Contract):
    """Result of NextWave: what the machine is to do.

    Attributes:
        next: "run" a wave, "wait" and ask again, or end; "handed_over" ends once another execution is started.
        seconds: How long to wait.
        run_id: Name of the run.
        input: Of the run.
        told: The same in words.
        left_key: Of the list of what is left, in the runs bucket.
        execution: Name of the one that goes on.
    """

    backfill_id: BackfillId
    next: Next
    told: str
    seconds: Count = 0
    run_id: str | None = None
    input: RunInput | None = None
    left_key: str | None = None
    execution: str | None = None
    waves: Count
    waves_done: Count
    objects: Count
    objects_left: Count
    usd: Usd
