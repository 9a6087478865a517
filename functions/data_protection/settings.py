"""Environment variables of data_protection's functions; each function has just those its handler reads."""

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
