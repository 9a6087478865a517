"""Environment variables of data_protection's functions; each function has just those its handler reads."""

from typing import Literal

from pydantic import Field

from kernel.settings import Settings


class ListPlacesSettings(Settings):
    """ListPlaces.

    Attributes:
        other_accounts: Whether the deployment may assume roles of other accounts.
    """

    lake_bucket: str
    other_accounts: Literal["expected", "none"]


class AssessSettings(Settings):
    """AssessPlace."""

    lake_bucket: str
    findings_table: str


class ReportSettings(Settings):
    """ReportAssessment."""

    environment: str
    lake_bucket: str
    findings_table: str


class RemediationSettings(Settings):
    """PlanRemediation."""

    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class StepSettings(RemediationSettings):
    """ApplyStep, VerifyStep, RollBackStep."""

    findings_table: str


class FinishSettings(Settings):
    """FinishRemediation, DecideApproval."""

    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class ApprovalSettings(FinishSettings):
    """RequestApproval."""

    approvers_topic: str


class BeginLockSettings(Settings):
    """BeginLock."""

    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class ListVersionsSettings(Settings):
    """ListVersions."""

    lake_bucket: str


class SurveyShardSettings(Settings):
    """SurveyShard.

    Attributes:
        requests_per_second: That one function may make; so many times as many work side by side.
    """

    lake_bucket: str
    requests_per_second: float = Field(gt=0)


class ConfigureBucketSettings(Settings):
    """ConfigureBucket."""

    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class LockShardSettings(Settings):
    """LockShard; as of SurveyShard."""

    lake_bucket: str
    remediations_table: str
    requests_per_second: float = Field(gt=0)


class EndLockSettings(Settings):
    """SimulateLock and ReconcileLock."""

    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class RecheckSettings(Settings):
    """RecheckResource."""

    lake_bucket: str
    findings_table: str
    event_bus: str
    fix_queue_url: str
    own_role_arns: str  # separated by commas


class StartSweepSettings(Settings):
    """StartSweep."""

    lake_bucket: str
    sweep_queue_url: str


class SweepSettings(Settings):
    """SweepDrift."""

    lake_bucket: str
    findings_table: str
    event_bus: str
    fix_queue_url: str


class FixSettings(Settings):
    """FixDrift."""

    fix_queue_url: str
    lake_bucket: str
    findings_table: str
    event_bus: str
    evidence_bucket: str
    remediations_table: str


class PlanForecastSettings(Settings):
    """PlanForecast."""

    lake_bucket: str


class CountObjectsSettings(Settings):
    """CountObjects."""

    lake_bucket: str


class ReportForecastSettings(Settings):
    """ReportForecast."""

    lake_bucket: str


class DrillSettings(Settings):
    """StartDrill, CheckDrill, CountDrill and EndDrill."""

    lake_bucket: str
