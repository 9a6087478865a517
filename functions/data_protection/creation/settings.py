"""Environment variables of the functions that make resources; each function has just those its handler reads."""

from kernel.settings import Settings


class PlanCreationSettings(Settings):
    """PlanCreation."""

    lake_bucket: str
    boundary_arn: str = ""


class CreateResourceSettings(Settings):
    """CreateResource."""

    lake_bucket: str


class ValidateCreationSettings(Settings):
    """ValidateCreation."""

    lake_bucket: str
    evidence_bucket: str
