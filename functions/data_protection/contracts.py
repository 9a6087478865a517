"""What the parts of data_protection send each other: inputs and results of state machines' steps."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from data_protection.resources import Kind, Place, named
from data_protection.verdicts import Status
from kernel.contracts import Contract, Document, MachineInput


class PlaceRef(Contract):
    """An account in a region, as `resources.Place`."""

    account: str = Field(pattern=r"^\d{12}$")
    region: str
    partition: str = "aws"
    is_home: bool = True

    @classmethod
    def of(cls, place: Place) -> "PlaceRef":
        """Return what stands for a place."""
        return cls(account=place.account, region=place.region, partition=place.partition, is_home=place.is_home)

    @property
    def place(self) -> Place:
        """The place."""
        return Place(self.account, self.region, self.partition, self.is_home)


class ListPlaces(MachineInput):
    """Input of assess_account.

    Attributes:
        accounts, regions: Only these; without, all of the estate. An empty list that is given is refused: whoever
            narrowed a run to nothing meant no run of everything.
    """

    described: ClassVar = "docs/data_protection.md#assess"

    accounts: tuple[str, ...] = Field(default=(), min_length=1)
    regions: tuple[str, ...] = Field(default=(), min_length=1)


class PlacesListed(Contract):
    """Where a run looks.

    Attributes:
        places: As the input narrows them.
        whole_profiles: Profiles all of whose places in the estate are among them, with how many these are.
    """

    places: tuple[PlaceRef, ...]
    whole_profiles: dict[str, int]


class AssessPlace(Contract):
    """Asks to assess one place."""

    run: str
    time: datetime
    place: PlaceRef


class Scheduled(Document):
    """What is used of an EventBridge scheduled event; its other fields are AWS' business.

    Attributes:
        time: Which the schedule was for.
    """

    time: AwareDatetime


class SweepPlace(Contract):
    """Asks to look at all that is in scope in one place.

    Attributes:
        run: Of the sweep, the same for all places.
    """

    run: str = Field(min_length=1)
    place: PlaceRef


class PlaceAssessed(Contract):
    """What an assessment came to.

    Attributes:
        percent: None where nothing is known.
        counts: Findings by status.
        calls: That the snapshot took.
        key: Of the findings in the lake bucket.
    """

    place: PlaceRef
    percent: float | None
    coverage: float
    counts: dict[Status, int]
    calls: int
    key: str


class FindingRow(Contract):
    """A finding, as it is kept.

    Attributes:
        status: What counts.
        arn: That AWS gives the resource, as far as it was read.
        judged: What was found; another one than `status` where it is excepted.
        observed, expected: Plain JSON.
        owner, expires, excuse: Of the exception by which it is excepted: who answers, the last day, why; else empty.
        since: Since when the status is this one.
        before: The status before; None at the first look.
    """

    run: str
    time: datetime
    account: str
    region: str
    profile: str
    check: str
    severity: Literal["critical", "high", "medium", "low"]
    kind: str
    name: str
    arn: str
    status: Status
    judged: Status
    reason: str
    observed: object
    expected: object
    owner: str = ""
    expires: str = ""
    excuse: str = ""
    since: datetime
    before: Status | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """What it is about, the same whatever could be read: the check, and the ARN as the resource's name tells it."""
        place = Place(self.account, self.region, self.arn.split(":")[1])
        return self.check, named(Kind(self.kind), place, self.name).arn


class ConflictRow(Contract):
    """Two requirements that cannot both be met on a resource, as it is kept; `conflicts.conflict` has the fields."""

    account: str
    region: str
    conflict: str
    title: str
    between: tuple[str, str]
    ways_out: str
    arn: str
    name: str
    sentence: str


class ExceptionRow(Contract):
    """An exception of a profile against what is in scope in a place, as it is kept.

    Attributes:
        check, kind, name, owner, expires: As the profile has them, placeholders of the name included.
        aimed: Whether it is about something that was judged; None where what it may be about could not be listed.
    """

    account: str
    region: str
    profile: str
    check: str
    kind: str
    name: str
    owner: str
    expires: str
    aimed: bool | None


class ReportAssessment(Contract):
    """Asks to report a run.

    Attributes:
        failures: A sentence for each place that could not be assessed.
        whole_profiles: As of `PlacesListed`.
    """

    run: str = Field(min_length=1)
    time: datetime
    failures: tuple[str, ...] = ()
    whole_profiles: dict[str, int] = {}


class AssessmentReported(Contract):
    """What a report says in short.

    Attributes:
        percent, coverage, counts: Over all places that were assessed, as of one.
        failed: Places that were not.
        misaimed_exceptions: Exceptions that are about nothing in any place of the estate with their profile.
        ended_exceptions: Exceptions about something that have ended.
        prefix: Of the files in the lake bucket.
    """

    percent: float | None
    coverage: float
    counts: dict[Status, int]
    places: int
    failed: int
    misaimed_exceptions: int
    ended_exceptions: int
    prefix: str
