"""Environment variables of database_logs' functions; each function has just those its handler reads."""

from typing import Annotated, Literal

from pydantic import Field

from kernel.settings import Settings


class ParseSettings(Settings):
    """ParseSegment.

    Attributes:
        segments_bucket: Of the raw segments.
        search_queue_url: Where parsed segments go; empty where there is no search.
        architecture: Of the function; it sets its price.
    """

    segments_bucket: str
    lake_bucket: str
    search_queue_url: str
    architecture: Literal["arm64", "x86_64"] = "arm64"


class ForwardSettings(Settings):
    """ForwardRecords.

    Attributes:
        search_kind: OpenSearch is an "elasticsearch".
        search_url: What stands before `/_bulk`.
        search_secret_arn: Secret with the user, JSON with `username` and `password`.
        search_stream: Stream, data stream or index of records.
        search_late_stream: Of records outside of the hours below; empty to leave those to the lake.
        search_past_hours, search_future_hours: How far from now the engine takes times; 0 takes all.
        search_verify_queue_url: Where some segments go to be looked for in search; empty where answers are believed.
        search_verify_one_in: Of how many segments one.
    """

    lake_bucket: str
    search_kind: Literal["openobserve", "elasticsearch"]
    search_url: Annotated[str, Field(pattern=r"^https?://")]
    search_secret_arn: str
    search_stream: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    search_late_stream: Annotated[str, Field(pattern=r"^[a-z0-9_-]*$")]
    search_past_hours: Annotated[int, Field(ge=0)]
    search_future_hours: Annotated[int, Field(ge=0)]
    search_verify_queue_url: str
    search_verify_one_in: Annotated[int, Field(ge=1)]


class VerifySettings(Settings):
    """VerifySearch, of OpenObserve."""

    search_url: Annotated[str, Field(pattern=r"^https?://")]
    search_secret_arn: str
    search_queue_url: str


class DigestSettings(Settings):
    """PlanDigests, MergeParts and DigestQueries."""

    lake_bucket: str


# With TLS, and without a password: who reaches it may read what RDS answered, so security groups say who does.
_Valkey = Annotated[str, Field(pattern=r"^$|^(valkeys|rediss)://[A-Za-z0-9.-]+(:\d+)?(/\d+)?$")]


class DiscoverSettings(Settings):
    """DiscoverLogs.

    Attributes:
        valkey_url: Where RDS' answers are kept instead of in the table of metadata; empty without.
        margin_seconds: Left at the end of the function's time to queue what was found.
    """

    fleet_parameter: str
    tracking_table: str
    metadata_table: str
    valkey_url: _Valkey
    collect_queue_url: str
    margin_seconds: Annotated[int, Field(ge=1)]


class ReadingSettings(Settings):
    """What reads files of RDS into segments.

    Attributes:
        segment_bytes: In a segment, at most.
        concurrent_portions: Of one file, under way at once, at most.
        margin_seconds: Left at the end of the function's time to stop in good order.
    """

    fleet_parameter: str
    tracking_table: str
    metadata_table: str
    jobs_table: str
    segments_bucket: str
    parse_queue_url: str
    collect_queue_url: str
    segment_bytes: Annotated[int, Field(ge=4096)]
    concurrent_portions: Annotated[int, Field(ge=1, le=16)]
    margin_seconds: Annotated[int, Field(ge=1)]


class CollectSettings(ReadingSettings):
    """CollectFile.

    Attributes:
        valkey_url: As of DiscoverLogs.
        lease_seconds: How long a worker holds a file; longer than the function may run.
        architecture: Of the function; it sets its price.
    """

    valkey_url: _Valkey
    lease_seconds: Annotated[int, Field(ge=60)]
    architecture: Literal["arm64", "x86_64"] = "arm64"


class RestoreSettings(ReadingSettings):
    """RestoreSegments."""

    lake_bucket: str


class PlanRdsReplaySettings(Settings):
    """PlanRdsReplay."""

    fleet_parameter: str
    tracking_table: str
    metadata_table: str
    segments_bucket: str
    lake_bucket: str


class PlanLogReplaySettings(Settings):
    """PlanLogReplay."""

    lake_bucket: str


class QueueSegmentsSettings(Settings):
    """QueueSegments."""

    lake_bucket: str
    parsing_queue_url: str


class CheckSegmentsSettings(Settings):
    """CheckSegments."""

    lake_bucket: str


class FinishReplaySettings(Settings):
    """FinishReplay."""

    lake_bucket: str
