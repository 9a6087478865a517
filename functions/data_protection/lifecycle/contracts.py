"""What the steps of forecast_lifecycle send each other, and what they keep in the lake between them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from data_protection.lifecycle.population import Lot
from data_protection.lifecycle.rules import StorageClass
from kernel.contracts import Contract, MachineInput

Raw: TypeAlias = dict[str, Any]  # of AWS' JSON, as plain JSON
_Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class PlanForecast(MachineInput):
    """Input of forecast_lifecycle.

    Attributes:
        bucket: Whose objects.
        account: Of it; the deployment's own without.
        region: Of it; the first one of its account in the estate without.
        rules: Lifecycle rules in AWS' JSON, in place of all that the bucket has; none for those of `use`.
        use: `profile` for the tiers that the account's profile asks for, merged into what the bucket has; `own` for
            what it has.
        inventory: `s3://bucket/key` of the manifest.json of an S3 Inventory as parquet; without, the bucket is listed.
        most: How many objects are listed; of more, as many are sampled.
        reads_percent_a_year: How much of what is kept is read back in a year.
        growth_percent_a_year: By how much more comes in with each year.
        inflow_days: From how many of the last days the inflow is taken.
    """

    described: ClassVar = "docs/data_protection.md#what-a-lifecycle-costs"

    bucket: _Bucket
    account: str | None = None
    region: str | None = None
    rules: tuple[Raw, ...] = ()
    use: Literal["profile", "own"] = "profile"
    inventory: Annotated[str, Field(pattern=r"^s3://[^/]+/.+/manifest\.json$")] | None = None
    most: int = Field(default=500_000, ge=1_000, le=2_000_000)
    reads_percent_a_year: float = Field(default=5.0, ge=0, le=10_000)
    growth_percent_a_year: float = Field(default=0.0, ge=-50, le=500)
    inflow_days: int = Field(default=30, ge=1, le=365)


class Part(Contract):
    """What one call counts.

    Attributes:
        number: Of it, from 0.
        files: Of the inventory; none where the bucket is listed.
    """

    number: int = Field(ge=0)
    files: tuple[str, ...] = ()


class ForecastPlan(Contract):
    """What a forecast is about, as it is kept.

    Attributes:
        asked: The input.
        account, region: Of the bucket.
        present: Its lifecycle as AWS answers; None where it has none.
        lifecycle: What is forecast, in the same form.
        source: Where that comes from, in words.
        versioned: Whether the bucket keeps versions.
        has_versions: Whether it may have noncurrent ones, from earlier.
        taken: The time of the state that is counted.
        inventory_bucket: Where the inventory's files are; empty where the bucket is listed.
    """

    asked: PlanForecast
    account: str
    region: str
    present: Raw | None
    lifecycle: Raw | None
    source: str
    versioned: bool
    has_versions: bool
    taken: datetime
    inventory_bucket: str = ""


class ForecastPlanned(Contract):
    """What is to count."""

    parts: tuple[Part, ...]


class CountObjects(Contract):
    """Asks to count the objects of one part."""

    run: str = Field(min_length=1)
    time: datetime
    part: Part


class LotRow(Contract):
    """`population.Lot`, as it is kept."""

    prefix: str
    storage_class: StorageClass
    noncurrent: bool
    age: int
    objects: float
    size: float

    @property
    def lot(self) -> Lot:
        """The lot."""
        return Lot(self.prefix, self.storage_class, self.noncurrent, self.age, self.objects, self.size)


class ObjectsCounted(Contract):
    """What a part came to."""

    objects: int
    is_sample: bool


class Counted(Contract):
    """What was counted of one part, as it is kept.

    Attributes:
        groups: Lots; of a sample, those of each folder or so by themselves, from which its error is told.
        left_out: Objects in storage classes that no lifecycle knows.
        is_sample: Whether there are more objects than were counted.
        objects: How many there are, by CloudWatch's last daily figure; None where that is not known or not needed.
    """

    groups: tuple[tuple[LotRow, ...], ...]
    left_out: int
    is_sample: bool = False
    objects: float | None = None

    def told(self) -> ObjectsCounted:
        """Return it in short."""
        return ObjectsCounted(
            objects=round(sum(row.objects for group in self.groups for row in group)), is_sample=self.is_sample
        )


class ReportForecast(Contract):
    """Asks to report a forecast."""

    run: str = Field(min_length=1)
    time: datetime
    parts: int = Field(ge=1)


class ForecastReported(Contract):
    """What a forecast says in short.

    Attributes:
        standard_usd, lifecycle_usd: Of seven years, to the cent.
        saving_percent: Of the lifecycle, against STANDARD, to the tenth; None where nothing costs anything.
        prices: Of which region and date they are, in words.
        losing_rules: Ids of the rules whose moves cost more than they save.
        prefix: Of the files in the lake bucket.
    """

    standard_usd: float
    lifecycle_usd: float
    saving_percent: float | None
    prices: str
    losing_rules: tuple[str, ...]
    prefix: str
