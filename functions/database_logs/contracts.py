"""What the parts of database_logs send each other: bodies of queue messages and inputs of state machines."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from database_logs.boundaries.postgres import RDS_PREFIX
from database_logs.log_types import LogType
from kernel.contracts import Contract, Document

# Names of executions are such.
REPLAY_ID: Final = r"^[A-Za-z0-9_-]{1,80}$"


class FileRef(Contract):
    """A log file of an instance.

    Attributes:
        account, region: Where the instance is.
        dbi_resource_id: Identity of the instance: a name that is used again gets a new one.
        log_type: Grammar of the file.
        file: LogFileName.
        tags: Of the instance, when the file was discovered: who pays for its logs.
    """

    account: str = Field(pattern=r"^\d{12}$")
    region: str
    dbi_resource_id: str
    instance_id: str
    cluster_id: str | None = None
    engine: str
    log_type: LogType
    file: str
    tags: dict[str, str] = {}


class CollectTask(Contract):
    """Asks to collect what is new in a file; body of a message of the collection queue, one group a file.

    Attributes:
        size: As the listing had it.
        last_written: Of the listing.
        closed: Nothing more will be written.
        deadline: When RDS is expected to purge it.
        prefix, time_zone: As in `SegmentCommitted`, of the instance's parameter group.
        generation: Which file is meant whatever its name is by now; None where only its content tells.
        reopen: A file that was given up is there again: go on with it.
    """

    file: FileRef
    size: int = Field(ge=0)
    last_written: datetime
    closed: bool = False
    deadline: datetime
    prefix: str = RDS_PREFIX
    time_zone: str = "UTC"
    generation: str | None = None
    reopen: bool = False


class SegmentCommitted(Contract):
    """Bytes start to end of a generation are safe in the segments bucket; body of a message of the parsing queue.

    Attributes:
        generation: Which of the files that bear this name.
        key: Of the raw segment: gzip, byte for byte what RDS gave. Deterministic: kind, instance, generation, range.
        prefix: log_line_prefix of the instance's parameter group; of use to postgres_stderr only.
        time_zone: IANA name; of times that name no zone.
        truncated, open_tail: As in `segments.Segment`.
        forward: Search is told of it, where there is search.
        sha256: Of its bytes, hex, as the ledger has it; what the raw segment holds must have it. None where nobody
            kept it: then only their number is known.
    """

    file: FileRef
    generation: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    key: str
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    prefix: str = RDS_PREFIX
    time_zone: str = "UTC"
    truncated: bool = False
    open_tail: bool = False
    forward: bool = True


class SegmentParsed(Contract):
    """Records of a segment are in the lake; body of a message of the search queue.

    Attributes:
        keys: Of its parquet files in the lake, one a day of events.
        records: In them.
        resent: How often search was found to lack some of it.
    """

    segment: SegmentCommitted
    keys: list[str]
    records: int = Field(ge=0)
    resent: int = Field(default=0, ge=0)


class ParsedFile(Contract):
    """A file of the lake that a segment became.

    Attributes:
        kind: Records, or the segment's part of a day's digest.
        day: Of the events in it, UTC; None where no record of the segment has a time, or of too many days.
        rows: Records or rows of the part.
        sha256: Of its bytes, hex.
    """

    kind: Literal["records", "part"]
    key: str
    day: date | None
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: str


class SegmentManifest(Contract):
    """What a segment became, by the newest version that parsed it; document of the lake bucket.

    It is written before the files that it names and once more, complete, after them.

    Attributes:
        parser_version: Which made the files.
        unparsed: Records that fit no grammar.
        first_time, last_time: Of the records; None where none has a time.
        is_complete: The files are there.
        replaced: Keys of the files of older versions, which are to be gone.
        damaged: Why the raw segment is not what was parsed any more; None as long as it is. Its records stay.
    """

    segment: SegmentCommitted
    parser_version: int = Field(ge=1)
    records: int = Field(ge=0)
    unparsed: int = Field(ge=0)
    first_time: datetime | None
    last_time: datetime | None
    files: list[ParsedFile]
    is_complete: bool = False
    replaced: list[str] = []
    damaged: str | None = None

    @property
    def parsed(self) -> SegmentParsed:
        """What search is told."""
        keys = [file.key for file in self.files if file.kind == "records"]
        return SegmentParsed(segment=self.segment, keys=keys, records=self.records)


class StreamSpan(Contract):
    """Documents of a segment that a stream of the search engine said to have stored.

    Attributes:
        documents: How many.
        first_id, last_id: Their least and greatest event_id; ids of a file ascend with its offsets.
        first_time, last_time: Times that they are stored under, microseconds since 1970.
    """

    stream: str = Field(pattern=r"^[a-z0-9_-]+$")
    documents: int = Field(gt=0)
    first_id: str = Field(pattern=r"^[0-9a-f]+$")
    last_id: str = Field(pattern=r"^[0-9a-f]+$")
    first_time: int
    last_time: int

    def joined(self, other: "StreamSpan") -> "StreamSpan":
        """Return both as one."""
        return StreamSpan(
            stream=self.stream,
            documents=self.documents + other.documents,
            first_id=min(self.first_id, other.first_id),
            last_id=max(self.last_id, other.last_id),
            first_time=min(self.first_time, other.first_time),
            last_time=max(self.last_time, other.last_time),
        )


class SegmentForwarded(Contract):
    """Search said that it stored documents of a segment; body of a message of the verification queue."""

    parsed: SegmentParsed
    spans: list[StreamSpan]


class Verified(Contract):
    """What search really has of what it said to have stored."""

    expected: int = Field(ge=0)
    found: int = Field(ge=0)

    @property
    def missing(self) -> int:
        """Documents that are not there."""
        return self.expected - self.found


class Forwarded(BaseModel):
    """What became of a message of the search queue; counts up while it is worked on.

    Attributes:
        records: Records of the segment that are done with, by this and earlier deliveries of the message.
        stored: In search now.
        late: Outside of the time that search takes; in the stream for such, or in the lake alone.
        refused: Never to be taken; each is kept with the reason.
        spans: Where the stored ones are, by stream.
    """

    model_config = ConfigDict(extra="forbid")

    records: int = Field(default=0, ge=0)
    stored: int = Field(default=0, ge=0)
    late: int = Field(default=0, ge=0)
    refused: int = Field(default=0, ge=0)
    spans: dict[str, StreamSpan] = {}


class Scheduled(Document):
    """A scheduled event of EventBridge, of which only its time counts."""

    time: AwareDatetime


class PartsShard(Contract):
    """Some of the parts of a day, to be added up by one call; input of MergeParts.

    Attributes:
        after, upto: The keys that come behind `after` and not behind `upto`; the first shard has all before it, the
            last one all behind it, so that shards leave no key out.
        ranges: Of fingerprints, that what they come to is written in: a power of two.
    """

    day: date
    after: str = ""
    upto: str | None = None
    ranges: int = Field(ge=1, le=4096)


class PartsMerged(Contract):
    """Output of MergeParts.

    Attributes:
        parts: That were added up.
        folders: Each has a file for each range and is named after their content, so attempts share none but equals.
    """

    day: date
    ranges: int = Field(ge=1, le=4096)
    parts: int = Field(ge=0)
    folders: list[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]] = Field(min_length=1)


class DigestsPlan(Contract):
    """Output of PlanDigests.

    Attributes:
        days: Whose digests to make, in this order.
        shards: Of the parts of these days.
    """

    days: list[date]
    shards: list[PartsShard]


class DigestDays(Contract):
    """Input of DigestQueries.

    Attributes:
        merged: What the parts of these days come to; at least one of each day.
    """

    days: list[date]
    merged: list[PartsMerged]

    @model_validator(mode="after")
    def _days_are_merged(self) -> Self:
        if lacking := set(self.days) - {one.day for one in self.merged}:
            raise ValueError(f"of {min(lacking)} nothing is merged")
        return self


class DigestMade(Contract):
    """The digest of a day.

    Attributes:
        parts: That it was added up from.
        statements: By fingerprint; those beyond as many as a digest has count as one.
        new: Statements that the digests of the week before do not have; 0 where there is none.
    """

    day: date
    parts: int = Field(ge=0)
    statements: int = Field(ge=0)
    new: int = Field(ge=0)
    calls: int = Field(ge=0)
    digest_key: str
    report_key: str


class DigestsMade(Contract):
    """Output of DigestQueries."""

    digests: list[DigestMade]


class Discover(Contract):
    """Asks for a pass over a part of the fleet; input of a schedule.

    Attributes:
        shard: Which part, from 0.
        shards: Of how many.
    """

    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _shard_exists(self) -> "Discover":
        if self.shard >= self.shards:
            raise ValueError(f"there is no shard {self.shard} of {self.shards}")
        return self


class Discovered(Contract):
    """What a pass came to.

    Attributes:
        instances: Of this part of the fleet.
        looked_at: Whose turn it was.
        paused: Of these, asleep.
        files: Listed.
        queued: Tasks.
    """

    instances: int
    looked_at: int
    paused: int
    files: int
    queued: int


class NamedFile(Protocol):
    """What a replay chooses files by: a FileRef has it, and an entry of the index."""

    @property
    def instance_id(self) -> str: ...  # noqa: D102 - as of FileRef
    @property
    def dbi_resource_id(self) -> str: ...  # noqa: D102
    @property
    def log_type(self) -> LogType: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102


class LogReplayInput(Contract):
    """What to replay: whole segments with records of a time.

    Attributes:
        source: `s3`: segments that are in the lake, through the parsers. `rds`: what the lake lacks, from RDS.
        start, end: Of the records' own times, half-open; of `rds` of the files.
        instances: DBInstanceIdentifiers or DbiResourceIds; None for all.
        log_types: None for all.
        files: LogFileNames; None for all. Of named files segments without any time are replayed too.
        forward: Send to search once more as well.
        dry_run: Only count.
        replay_id: That of an earlier replay with the same choice, to go on with it; None for a new one.
    """

    source: Literal["s3", "rds"] = "s3"
    start: AwareDatetime
    end: AwareDatetime
    instances: list[str] | None = None
    log_types: list[LogType] | None = None
    files: list[str] | None = None
    forward: bool = True
    dry_run: bool = False
    replay_id: str | None = Field(default=None, pattern=REPLAY_ID)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self

    def chooses_like(self, other: "LogReplayInput") -> bool:
        """Whether another replay was of the same."""
        return self.model_copy(update={"replay_id": None}) == other.model_copy(update={"replay_id": None})

    def names(self, file: NamedFile) -> bool:
        """Whether a file is of those to replay, whatever its time."""
        return (
            (self.instances is None or not {file.instance_id, file.dbi_resource_id}.isdisjoint(self.instances))
            and (self.log_types is None or file.log_type in self.log_types)
            and (self.files is None or file.file in self.files)
        )


class PlanLogReplayInput(Contract):
    """Input of PlanLogReplay and PlanRdsReplay.

    Attributes:
        replay_id: Its identity: a plan that there is already stays as it is. That of the execution, if the input has
            none.
    """

    replay_id: str = Field(pattern=REPLAY_ID)
    input: LogReplayInput


class LogReplayPlan(Contract):
    """Output of PlanLogReplay and PlanRdsReplay.

    Attributes:
        segments, records: To be replayed; records that the lake lacks nobody has counted.
        raw_bytes: Of the log files that they hold.
        lists: Lists of them.
        lists_key: In the lake bucket, a ReplayList a line.
        files: That RDS lists and of which there is more to collect than segments.
        gone: Segments, and files with a gap, that the lake lacks and RDS does not list any more.
        unreachable: Instances that sleep, or whose logs the role may not read: nothing of them is planned.
    """

    replay_id: str
    input: LogReplayInput
    segments: int = Field(ge=0)
    records: int = Field(ge=0)
    raw_bytes: int = Field(ge=0)
    lists: int = Field(ge=0)
    lists_key: str
    files: int = Field(default=0, ge=0)
    gone: int = Field(default=0, ge=0)
    unreachable: list[str] = []


class LostSegment(Contract):
    """A segment that the lake lacks.

    Attributes:
        sha256: Of its bytes, hex: what RDS gives in its place must have it.
    """

    segment: SegmentCommitted
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class RestoreTask(Contract):
    """Asks to bring back what the lake lacks of a file; a line of a list of a replay from RDS.

    Attributes:
        task: The file as RDS lists it.
        lost: Segments of it.
        collect: There is more of it than was ever stored.
    """

    task: CollectTask
    lost: list[LostSegment]
    collect: bool = False


class SegmentsRestored(Contract):
    """Output of RestoreSegments.

    Attributes:
        restored: Segments that RDS gave once more.
        told: Segments that were in order, of which the parsers were told once more.
        queued: Files of which there is more to collect, which collection does.
        unavailable: Segments that RDS does not have any more, or has other bytes in their place.
        open: Segments that another call has to go on with: RDS throttles, or the time of this one was used up.
    """

    restored: int = Field(ge=0)
    told: int = Field(ge=0)
    queued: int = Field(ge=0)
    unavailable: int = Field(ge=0)
    open: int = Field(default=0, ge=0)


class Restored(StrEnum):
    """What became of a segment that was to be brought back.

    TOLD: it was in order. READ: RDS gave it once more. UNAVAILABLE: RDS does not have these bytes any more.
    """

    TOLD = "told"
    READ = "read"
    UNAVAILABLE = "unavailable"


class RestoreProgress(Contract):
    """How far a list of a replay from RDS came before it was interrupted.

    Attributes:
        done: What became of its segments, in their order; those behind are open.
    """

    done: list[Restored] = []


class ReplayList(Contract):
    """What a child execution of a replay does: one list of it.

    Attributes:
        source: As LogReplayInput.
    """

    page: str
    source: Literal["s3", "rds"]


class ReplayPage(Contract):
    """Input of QueueSegments, RestoreSegments and CheckSegments: one list of a replay."""

    page: str = Field(pattern=r"^database_logs/replays/[A-Za-z0-9_-]+/segments-\d{5}\.jsonl$")


class SegmentsQueued(Contract):
    """Output of QueueSegments.

    Attributes:
        queued: Segments of the list.
        before: They were queued by an earlier call.
    """

    queued: int = Field(ge=0)
    before: bool


class SegmentsChecked(Contract):
    """Output of CheckSegments.

    Attributes:
        done: Segments that the parsers of today have brought into the lake.
        open: Those that still wait for it.
        damaged: Those whose raw segment was damaged, or replaced, after it was parsed; the lake keeps what it has.
    """

    done: int = Field(ge=0)
    open: int = Field(ge=0)
    damaged: int = Field(ge=0)


class FinishReplayInput(Contract):
    """Input of FinishReplay."""

    replay_id: str = Field(pattern=REPLAY_ID)


class ReplayFinished(Contract):
    """Output of FinishReplay: what became of all lists of a replay.

    Attributes:
        done, damaged: As SegmentsChecked.
        restored, unavailable: As SegmentsRestored.
    """

    done: int = Field(ge=0)
    damaged: int = Field(ge=0)
    restored: int = Field(ge=0)
    unavailable: int = Field(ge=0)
