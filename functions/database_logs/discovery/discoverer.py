"""A pass over the fleet: whose turn it is, what its files have to be collected, what is at risk."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.boundaries.postgres import RDS_PREFIX
from database_logs.contracts import CollectTask, FileRef
from database_logs.discovery.files import Found, Known, Moved, compare
from database_logs.discovery.fleet import Estate, Fleet, Instance
from database_logs.discovery.schedule import Formats, Turn, after_pause, is_due, next_turn, shard_of
from database_logs.errors import AccessRefused, ApiThrottled, InstanceGone, InstancePaused

if TYPE_CHECKING:
    from database_logs.adapters.rds import RdsApi
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.turns import Turns

_FORMATS_KEPT: Final = timedelta(hours=1)
_PREFIX: Final = "log_line_prefix"
_ZONES: Final = ("log_timezone", "time_zone")


@dataclass
class Pass:
    """What a pass came to, for metrics.

    Attributes:
        behind: Bytes that moved since they were last queued; not of compressed files.
        time_to_loss: Until the first file with something to collect is purged; None if there is none.
    """

    instances: int = 0
    looked_at: int = 0
    paused: int = 0
    refused: int = 0
    files: int = 0
    queued: int = 0
    behind: int = 0
    throttled: bool = False
    time_to_loss: timedelta | None = None
    ignored: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Discoverer:
    """Looks at the instances of a shard.

    Attributes:
        fleet: Which.
        api_of: RDS of an estate.
        turns: What is remembered.
        queue: Of tasks.
        now: The time.
    """

    fleet: Fleet
    api_of: Callable[[Estate], "RdsApi"]
    turns: "Turns"
    queue: "CollectQueue"
    now: Callable[[], datetime]

    def discover(self, shard: int, shards: int) -> Pass:
        """Queue what moved in the files of all instances whose turn it is.

        A failure of one instance, or of one estate, leaves it to the next pass and changes nothing of what is
        remembered.

        Args:
            shard: Which part of the fleet, from 0.
            shards: Of how many.
        """
        done = Pass()
        for estate in self.fleet.estates:
            try:
                self._estate(estate, shard, shards, done)
            except ApiThrottled:
                done.throttled = True
            except AccessRefused:
                done.refused += 1
        return done

    def _estate(self, estate: Estate, shard: int, shards: int, done: Pass) -> None:
        api = self.api_of(estate)
        known = self.turns.of(estate.place)
        everything = {one.dbi_resource_id: one for one in api.instances()}
        mine = [one for one in everything.values() if shard_of(one.dbi_resource_id, shards) == shard]
        wanted = [one for one in mine if self.fleet.has(one)]
        done.instances += len(wanted)
        turns = {resource: turn for resource, (_, turn) in known.items()}
        began, shortest = self.now(), timedelta(seconds=self.fleet.interval_seconds)
        due = [one for one in wanted if is_due(turns.get(one.dbi_resource_id), began, shortest)]
        # Those that were not looked at for longest are the nearest to losing something.
        due.sort(key=lambda one: turns[one.dbi_resource_id].due.timestamp() if one.dbi_resource_id in turns else 0.0)
        for resource, (instance, _) in known.items():
            if resource not in everything and shard_of(resource, shards) == shard:
                self._deleted(estate, instance, done)
        for instance in due:
            self._instance(estate, instance, turns.get(instance.dbi_resource_id), done)

    def _instance(self, estate: Estate, instance: Instance, turn: Turn | None, done: Pass) -> None:
        api, place = self.api_of(estate), estate.place
        shortest = timedelta(seconds=self.fleet.interval_seconds)
        try:
            listing = api.log_files(instance.instance_id)
            known = self.turns.files(instance.dbi_resource_id)
            if not listing and known:
                # An empty listing comes at times for no reason.
                listing = api.log_files(instance.instance_id)
        except InstancePaused:
            done.paused += 1
            self.turns.set(place, instance, after_pause(turn, self.now(), shortest))
            return
        except InstanceGone:
            return  # the next pass finds it gone from the list of instances, too
        except AccessRefused:
            done.refused += 1
            return
        done.looked_at += 1
        done.files += len(listing)
        if not listing and known:
            return
        displaced = self.turns.displaced(instance.dbi_resource_id)
        found = compare(listing, known, instance.engine, self.now(), displaced)
        done.ignored.update(found.ignored)
        longest = timedelta(seconds=self.fleet.longest_interval_seconds)
        following = next_turn(turn, self.now(), shortest, longest, moved=bool(found.moved))
        if found.moved:
            following = replace(following, formats=self._formats(estate, instance, turn))
            self._queue(estate, instance, found, known, formats=following.formats, done=done)
        self.turns.drop(instance.dbi_resource_id, found.forgotten)
        self.turns.set(place, instance, following)

    def _deleted(self, estate: Estate, instance: Instance, done: Pass) -> None:
        """Let what was not collected of a deleted instance be declared lost, then forget it."""
        known = self.turns.files(instance.dbi_resource_id)
        displaced = self.turns.displaced(instance.dbi_resource_id)
        found = compare([], known, instance.engine, self.now(), displaced)
        if found.moved:
            self._queue(estate, instance, found, known, formats=None, done=done)
        self.turns.drop(instance.dbi_resource_id, found.forgotten)
        if not found.moved:
            self.turns.forget(estate.place, instance)

    def _queue(
        self,
        estate: Estate,
        instance: Instance,
        found: Found,
        known: dict[str, Known],
        *,
        formats: Formats | None,
        done: Pass,
    ) -> None:
        now = self.now()
        tasks = [
            (_task(estate, instance, moved, formats), moved.name.base, _size(known, moved)) for moved in found.moved
        ]
        self.queue.send(tasks)
        self.turns.note(instance.dbi_resource_id, _noted(found.moved, known))
        done.queued += len(tasks)
        for moved in found.moved:
            if not moved.name.compressed:
                done.behind += max(0, moved.listed.size - _size(known, moved))
            left = moved.deadline - now
            done.time_to_loss = left if done.time_to_loss is None else min(done.time_to_loss, left)

    def _formats(self, estate: Estate, instance: Instance, turn: Turn | None) -> Formats:
        """Return how an instance writes its logs; asked for once an hour, as it hardly ever changes."""
        now = self.now()
        if turn is not None and turn.formats is not None and now - turn.formats.at < _FORMATS_KEPT:
            return turn.formats
        group = instance.parameter_group
        parameters = {} if group is None else self.api_of(estate).parameters(group)
        zone = next((parameters[name] for name in _ZONES if name in parameters), "UTC")
        return Formats(prefix=parameters.get(_PREFIX, RDS_PREFIX), time_zone=zone, at=now)


def _task(estate: Estate, instance: Instance, moved: Moved, formats: Formats | None) -> CollectTask:
    return CollectTask(
        file=FileRef(
            account=estate.account,
            region=estate.region,
            dbi_resource_id=instance.dbi_resource_id,
            instance_id=instance.instance_id,
            cluster_id=instance.cluster_id,
            engine=instance.engine,
            log_type=moved.name.log_type,
            file=moved.listed.file,
            tags=instance.tags,
        ),
        size=moved.listed.size,
        last_written=moved.listed.last_written,
        closed=moved.closed,
        deadline=moved.deadline,
        prefix=RDS_PREFIX if formats is None else formats.prefix,
        time_zone="UTC" if formats is None else formats.time_zone,
        generation=moved.identity if moved.gone else None,
    )


def _noted(moved: Iterable[Moved], known: dict[str, Known]) -> list[Known]:
    """Return what is to be remembered: which generation a name led to, until somebody has looked again."""
    return [
        Known(
            one.listed.file,
            one.listed.size,
            one.listed.last_written,
            one.identity or (known[one.listed.file].identity if one.listed.file in known else None),
            settled=False,
            final=False,
        )
        for one in moved
    ]


def _size(known: dict[str, Known], moved: Moved) -> int:
    before = known.get(moved.listed.file)
    return before.size if before is not None and before.settled and before.size <= moved.listed.size else 0
