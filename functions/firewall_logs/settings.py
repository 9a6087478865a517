"""Environment variables of firewall_logs' functions; each function has just those its handler reads."""

from typing import Annotated, Literal

from pydantic import Field

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
    """

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    feeds_parameter: str
    lease_seconds: Annotated[int, Field(ge=60)]
    unit_mb: Annotated[int, Field(ge=1)]


class ProcessSettings(Settings):
    """ProcessUnit."""

    runs_bucket: str
    lake_bucket: str
    ledger_table: str
    lease_seconds: Annotated[int, Field(ge=60)]


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
