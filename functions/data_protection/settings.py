"""Environment variables of data_protection's functions; each function has just those its handler reads."""

from pydantic import Field

from kernel.settings import Settings


class ListPlacesSettings(Settings):
    """ListPlaces."""

    estate_parameter: str


class AssessSettings(Settings):
    """AssessPlace."""

    estate_parameter: str
    lake_bucket: str
    findings_table: str


class ReportSettings(Settings):
    """ReportAssessment."""

    lake_bucket: str
    findings_table: str


class RemediationSettings(Settings):
    """PlanRemediation, ApplyStep, VerifyStep, RollBackStep."""

    estate_parameter: str
    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


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

    estate_parameter: str
    lake_bucket: str
    evidence_bucket: str
    remediations_table: str


class ListVersionsSettings(Settings):
    """ListVersions."""

    estate_parameter: str
    lake_bucket: str


class SurveyShardSettings(Settings):
    """SurveyShard.

    Attributes:
        requests_per_second: That one function may make; so many times as many work side by side.
    """

    estate_parameter: str
    lake_bucket: str
    requests_per_second: float = Field(gt=0)


class ConfigureBucketSettings(Settings):
    """ConfigureBucket."""

    estate_parameter: str
    evidence_bucket: str
    remediations_table: str


class LockShardSettings(Settings):
    """LockShard; as of SurveyShard."""

    estate_parameter: str
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

    estate_parameter: str
    lake_bucket: str
    findings_table: str
    event_bus: str
    fix_queue_url: str
    own_role_arns: str  # separated by commas


class StartSweepSettings(Settings):
    """StartSweep."""

    estate_parameter: str
    sweep_queue_url: str


class SweepSettings(Settings):
    """SweepDrift."""

    estate_parameter: str
    lake_bucket: str
    findings_table: str
    event_bus: str
    fix_queue_url: str


class FixSettings(Settings):
    """FixDrift."""

    estate_parameter: str
    lake_bucket: str
    findings_table: str
    event_bus: str
    evidence_bucket: str
    remediations_table: str


class PlanForecastSettings(Settings):
    """PlanForecast."""

    estate_parameter: str
    lake_bucket: str


class CountObjectsSettings(Settings):
    """CountObjects."""

    estate_parameter: str
    lake_bucket: str


class ReportForecastSettings(Settings):
    """ReportForecast."""

    lake_bucket: str


class DrillSettings(Settings):
    """StartDrill, CheckDrill and EndDrill."""

    lake_bucket: str
