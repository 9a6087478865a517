"""Environment variables of firewall_logs' functions; each function has just those its handler reads."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from kernel.settings import Settings


class StartSettings(Settings):
    """StartRun."""

    process_objects_arn: str
    feeds_parameter: str


class PlanSettings(Settings):
    """PlanRun.

    Attributes:
        lease_seconds: How long a claim holds; longer than the machine's own timeout, so that no claim of a living
            run expires.
        unit_mb: Decoded megabytes that one function call is to work through, by estimate.
        batch_mb: Decoded megabytes above which a slice goes to Fargate, by estimate.
        batch_memory_mb: Memory of a task on Fargate; 0 where there is no Fargate.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str
    lease_seconds: Annotated[int, Field(ge=60)]
    unit_mb: Annotated[int, Field(ge=1)]
    batch_mb: Annotated[int, Field(ge=1)]
    batch_memory_mb: Annotated[int, Field(ge=0)]


class ProcessSettings(Settings):
    """ProcessUnit."""

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str
    lease_seconds: Annotated[int, Field(ge=60)]


class BatchSettings(ProcessSettings):
    """A task on Fargate.

    Attributes:
        days_table: Of the seals whose cuts it compacts.
        memory_mb: Memory of the task.
        vcpus: Its processors.
        stop_seconds: How long it may go on once it is told to stop; less than the container's stopTimeout.
        work_kind: What kind of work it is to do; the machine that starts it says so, as it does the rest.
        work_key: Document in the runs bucket that describes the work, one piece a line.
        work_line: Which line, from 0.
    """

    days_table: str
    memory_mb: Annotated[int, Field(ge=1)]
    vcpus: Annotated[float, Field(gt=0)]
    stop_seconds: Annotated[float, Field(ge=0)]
    work_kind: Literal["unit", "cut"]
    work_key: str
    work_line: Annotated[int, Field(ge=0)]


class ReconcileSettings(Settings):
    """ReconcileRun."""

    runs_bucket: str
    lake_bucket: str
    ledger_table: str


class CommitSettings(Settings):
    """CommitRun.

    Attributes:
        architecture: Of the functions; it sets their price.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    days_table: str
    event_bus: str
    architecture: Literal["arm64", "x86_64"]


class FailureSettings(Settings):
    """RecordFailure."""

    runs_bucket: str
    ledger_table: str
    event_bus: str


class SweepSettings(Settings):
    """SweepDay.

    Attributes:
        lease_seconds: How long a seal holds its day; longer than the machine's own timeout.
        grace_seconds: What arrived this shortly before the seal began is left to the events that announce it.
        most_swept_gb: Of raw objects that a seal has processed by itself; more is a matter for a backfill.
        survey_objects: Of the sweep's window, which has three days of arrival: so many ReconcileDay reads by itself,
            and so many make a part of a survey where there are more.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    days_table: str
    feeds_parameter: str
    lease_seconds: Annotated[int, Field(ge=60)]
    grace_seconds: Annotated[int, Field(ge=0, le=7200)]
    most_swept_gb: Annotated[int, Field(ge=1)]
    survey_objects: Annotated[int, Field(ge=1)]


class SurveySettings(Settings):
    """SurveyUnit."""

    runs_bucket: str
    lake_bucket: str
    days_table: str
    feeds_parameter: str


class ReconcileDaySettings(Settings):
    """ReconcileDay.

    Attributes:
        batch_day_mb: Megabytes of a day's files of events above which it is compacted on Fargate.
        batch_memory_mb: Memory of a task on Fargate; 0 where there is no Fargate.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    days_table: str
    feeds_parameter: str
    batch_day_mb: Annotated[int, Field(ge=1)]
    batch_memory_mb: Annotated[int, Field(ge=0)]


class ValidateDaySettings(Settings):
    """ValidateDay."""

    runs_bucket: str
    lake_bucket: str
    days_table: str
    feeds_parameter: str
    rules_parameter: str


class SealSettings(Settings):
    """SealDay."""

    runs_bucket: str
    lake_bucket: str
    days_table: str
    event_bus: str


class CleanSettings(Settings):
    """CleanDay."""

    lake_bucket: str
    days_table: str


class BlockSettings(Settings):
    """BlockDay."""

    runs_bucket: str
    days_table: str
    event_bus: str


class StartSealsSettings(Settings):
    """StartSeals.

    Attributes:
        most_seals: Started at one time, the day before first and blocked ones last; the others wait for the next time.
    """

    days_table: str
    seal_day_arn: str
    most_seals: Annotated[int, Field(ge=1)]


class WatchSettings(Settings):
    """WatchDays."""

    days_table: str


class CompactSettings(Settings):
    """CompactUnit."""

    runs_bucket: str
    lake_bucket: str


class OcsfSettings(Settings):
    """ProjectOcsf.

    Attributes:
        ocsf_prefix: Empty, or with a slash at its end.
        ocsf_source: Name of the custom source.
        ocsf_account: Account in the layout: `external_<id>` for what comes from outside AWS.
        ocsf_region: Region in the layout, the bucket's.
    """

    lake_bucket: str
    ocsf_bucket: str
    ocsf_prefix: Annotated[str, Field(pattern=r"^$|/$")]
    ocsf_source: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
    ocsf_account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    ocsf_region: str


def _pairs(text: str) -> dict[str, str]:
    # Not JSON: quotes do not survive the parameter overrides of `sam deploy`.
    return {name: value for name, _, value in (pair.partition("=") for pair in text.split(","))}


class IcebergSettings(Settings):
    """CommitIceberg.

    Attributes:
        iceberg_catalog: Properties of pyiceberg's catalogue, as `type=rest,uri=https://…`.
        iceberg_table: Its name, with the database before it.
    """

    lake_bucket: str
    iceberg_catalog: Annotated[dict[str, str], BeforeValidator(_pairs)]
    iceberg_table: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]


class PlanBackfillSettings(Settings):
    """PlanBackfill.

    Attributes:
        max_usd: At what cost a backfill stops that names no limit of its own.
        max_concurrency: Units that a run works on at once, where the backfill does not say.
        unit_mb: Decoded megabytes of a unit.
        batch_mb: Decoded megabytes above which an object goes to Fargate.
        batch_memory_mb: Of a task on Fargate; 0 where there is none.
        architecture: Of the functions; it sets their price.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str
    max_usd: Annotated[float, Field(gt=0)]
    max_concurrency: Annotated[int, Field(ge=1)]
    unit_mb: Annotated[int, Field(ge=1)]
    batch_mb: Annotated[int, Field(ge=1)]
    batch_memory_mb: Annotated[int, Field(ge=0)]
    architecture: Literal["arm64", "x86_64"]


class NextWaveSettings(Settings):
    """NextWave.

    Attributes:
        round_seconds: Wait before the first further round over what is left; each later one is four times as long.
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str
    process_objects_arn: str
    round_seconds: Annotated[int, Field(ge=1)]


class PlanReplaySettings(Settings):
    """PlanReplay."""

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str


class RecordReplaySettings(Settings):
    """RecordReplay."""

    runs_bucket: str
    lake_bucket: str
