"""What the steps of create_secure_resources send each other."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from data_protection.creation.outlines import Standing
from data_protection.resources import Kind, Place, Resource
from data_protection.verdicts import Status
from kernel.contracts import Contract, MachineInput


class ResourceRef(Contract):
    """A resource of a request."""

    kind: Kind
    name: str

    def at(self, place: Place) -> Resource:
        """Return the resource in a place."""
        return Resource(self.kind, place, self.name)


class PlannedResource(ResourceRef):
    """A resource that is to be made.

    Attributes:
        stage: When, from 0; those of one stage need nothing of each other.
    """

    stage: int


class PlanCreation(MachineInput):
    """Input of create_secure_resources.

    Attributes:
        request: Name of the request.
        apply: Whether to make what is missing; else it is only told.
    """

    described: ClassVar = "docs/data_protection.md#create"

    request: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    apply: bool = False


class CreationPlanned(Contract):
    """What a request comes to.

    Attributes:
        resources: What is to be made, in order.
        stages: How many there are at most.
        counts: Resources by how they stand.
        calls: That would be made.
        key: Of the plan in the lake bucket.
    """

    request: str
    apply: bool
    resources: tuple[PlannedResource, ...]
    stages: int
    counts: dict[Standing, int]
    calls: int
    key: str


class CreateResource(Contract):
    """Asks to go on making one resource.

    Attributes:
        run, time: Of the run that planned it.
        made: What the step before answered with as `made`; empty for the first one.
        since: Likewise; None for the first one.
    """

    run: Annotated[str, Field(min_length=1)]
    time: datetime
    resource: ResourceRef
    made: str = ""
    since: datetime | None = None


class ResourceCreated(Contract):
    """How far a resource has come.

    Attributes:
        done: Whether nothing is left to be done to it.
        standing: As it was found at first: missing and halfway ones are made, the others left alone.
        waits: What for, where it is not done; empty else.
        made: What to ask the next step with.
        since: When its first step began; to ask the next step with.
        wait_seconds: How long to wait until then.
        calls: That were made.
    """

    resource: ResourceRef
    done: bool
    standing: Standing
    waits: str = ""
    made: str = ""
    since: datetime
    wait_seconds: int = 0
    calls: int = 0


class ValidateCreation(Contract):
    """Asks to judge what a run has made.

    Attributes:
        failures: A sentence for each resource that could not be made.
    """

    run: Annotated[str, Field(min_length=1)]
    time: datetime
    failures: tuple[str, ...] = ()


class CreationValidated(Contract):
    """What a run has come to.

    Attributes:
        passed: Whether everything that was to be made is there, as asked, and passes its checks.
        created: How much of that is.
        standings: How many resources stand how, now.
        statuses: Findings about all resources of the request, by status.
        problems: A sentence for each reason why it did not pass, the first ten.
        key: Of the report in the lake bucket.
    """

    request: str
    passed: bool
    created: int
    standings: dict[Standing, int]
    statuses: dict[Status, int]
    problems: tuple[str, ...]
    key: str
