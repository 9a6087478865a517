"""The plan of a seal: what goes into the next version of a day, how it is cut, and who compacts which cut. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days import arrivals, cutting
from firewall_logs.days.contracts import (
    CompactionTask,
    CompactionUnit,
    DayObject,
    FeedArrivals,
    PlannedInput,
    SealedDay,
    SealPlan,
    SealStep,
)
from firewall_logs.days.engines import Engines
from firewall_logs.days.identity import inputs_id
from firewall_logs.days.reconciliation import EventsWitness
from firewall_logs.days.weighing import Weights


@dataclass(frozen=True)
class Planned:
    """A plan, and the lists that belong to it.

    Attributes:
        inputs: Files of events, in the order of the plan.
        units: Cuts that functions compact.
        tasks: The others, by the task on Fargate that compacts them.
    """

    plan: SealPlan
    inputs: list[PlannedInput]
    units: list[CompactionUnit]
    tasks: list[CompactionTask]


def planned(
    step: SealStep,
    previous: SealedDay | None,
    *,
    fresh: Sequence[DayObject],
    brought: dict[str, FeedArrivals],
    manifests: Sequence[Manifest],
    files: Iterable[LakeFile],
    footers: Mapping[str, EventsWitness],
    weights: Weights,
    engines: Engines,
) -> Planned:
    """Return the plan of the next version of a day.

    Args:
        step: Of the machine.
        previous: The version before.
        fresh: Objects that it lacks.
        brought: What they brought, by feed.
        manifests: Theirs.
        files: The inputs, in the order that decides which of two equal rows is the first.
        footers: Of those of events, by key.
        weights: Of the day.
        engines: What may compact it.

    Raises:
        CutTooHeavy: Nothing that the seal may use can hold a cut.
    """
    files = list(files)
    events = [file for file in files if file.kind == "events"]
    weighed = cutting.cuts(weights, cutting.MOST)
    cuts = [found.cut for found in weighed]
    identity = inputs_id(step.event_date, events, cuts)
    units = [
        CompactionUnit(seal_id=step.seal_id, event_date=step.event_date, index=index, inputs_id=identity, cut=cut)
        for index, cut in enumerate(cuts)
    ]
    light, tasks = engines.divide(zip(weighed, units, strict=True), sum(file.bytes for file in events))
    versions = {manifest.transform_version for manifest in manifests}
    plan = SealPlan(
        seal_id=step.seal_id,
        event_date=step.event_date,
        version=previous.version + 1 if previous else 1,
        as_of=step.as_of,
        inputs_id=identity,
        objects=[*(previous.objects if previous else ()), *(entry.object_id for entry in fresh)],
        events=events,
        hourly=[file for file in files if file.kind == "hourly"],
        cuts=cuts,
        arrivals=arrivals.add_up([previous.arrivals, brought]) if previous else brought,
        transform_versions=sorted(versions.union(previous.transform_versions if previous else ())),
        late_objects=len(fresh) if previous else 0,
        late_rows=sum(entry.rows for entry in fresh) if previous else 0,
    )
    return Planned(plan, [_input(file, footers[file.key]) for file in events], light, tasks)


def _input(file: LakeFile, found: EventsWitness) -> PlannedInput:
    return PlannedInput(key=file.key, bytes=file.bytes, footer=found.start, row_groups=found.row_groups)
