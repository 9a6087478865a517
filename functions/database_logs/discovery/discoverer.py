"""A pass over the fleet: whose turn it is, what its files have to be collected, what is at risk."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.collection.unlisted import Unwatched, unlisted
from database_logs.contracts import CollectTask
from database_logs.discovery.events import Event, Heard, News, remembered, since, unheard
from database_logs.discovery.facts import Facts, noted
from database_logs.discovery.files import Found, Known, Moved, compare
from database_logs.discovery.fleet import Estate, Fleet
from database_logs.discovery.formats import Formats
from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn, after_failure, after_pause, is_due, next_turn, shard_of
from database_logs.discovery.stalls import Watched, generations, watch
from database_logs.discovery.waves import Looked, Wave
from database_logs.errors import (
    AccessRefused,
    ApiFailed,
    ApiThrottled,
    InstanceGone,
    InstancePaused,
    PortionUnreadable,
)

if TYPE_CHECKING:
    from database_logs.adapters.instance_facts import InstanceFacts
    from database_logs.adapters.rds import FleetApi
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.turns import Turns

# DBInstanceStatus.
_STORAGE_FULL: Final = "storage-full"


@dataclass
class Pass:
    """What a pass came to, for metrics.

    Attributes:
        failed: Why, of each estate and instance that RDS gave no answer about.
        refused: Why, of each estate and instance that does not let its logs be read.
        behind: Bytes that moved since they were last queued; not of compressed files.
        gaps: Runs of hours that were never listed.
        time_to_loss: Until the first file with something to collect is purged; None if there is none.
        restarts, failovers: That RDS announced.
        stalled: Files that grow and are stored no further, with their instance.
    """

    instances: int = 0
    looked_at: int = 0
    paused: int = 0
    refused: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    files: int = 0
    queued: int = 0
    behind: int = 0
    gaps: int = 0
    throttled: bool = False
    restarts: int = 0
    failovers: int = 0
    time_to_loss: timedelta | None = None
    ignored: Counter[str] = field(default_factory=Counter)
    stalled: list[tuple[str, Watched]] = field(default_factory=list)


@dataclass(frozen=True)
class _Look:
    """What a look at an instance begins with.

    Attributes:
        facts: Of the estate, kept up to date.
        news: Of the estate.
    """

    estate: Estate
    instance: Instance
    turn: Turn | None
    facts: dict[str, Facts]
    news: News

    @property
    def is_short_of_storage(self) -> bool:
        return self.instance.status == _STORAGE_FULL or self.news.short_of_storage(self.instance)


@dataclass(frozen=True)
class _Begun:
    """A pass over an estate that has begun.

    Attributes:
        looks: At the instances whose turn it is.
        listener: Who hears of its events in this part of the fleet.
        heard: What it has heard once all looks are done; None if it never heard anything.
    """

    estate: Estate
    looks: list[_Look]
    news: News
    listener: str
    heard: Heard | None


@dataclass(frozen=True)
class Discoverer:
    """Looks at the instances of a shard.

    Attributes:
        fleet: Which.
        api_of: RDS of an estate.
        turns: What is remembered of looks.
        facts: What is noted of instances.
        queue: Of tasks.
        now: The time.
        remaining: Seconds until a pass has to end.
    """

    fleet: Fleet
    api_of: Callable[[Estate], "FleetApi"]
    turns: "Turns"
    facts: "InstanceFacts"
    queue: "CollectQueue"
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    @property
    def _intervals(self) -> tuple[timedelta, timedelta]:
        return timedelta(seconds=self.fleet.interval_seconds), timedelta(seconds=self.fleet.longest_interval_seconds)

    def discover(self, shard: int, shards: int) -> Pass:
        """Queue what moved in the files of all instances whose turn it is.

        What is purged first is queued first, of all instances. A failure of one instance, or of one estate, leaves it
        to a later pass and changes nothing of what is remembered of its files; so does the end of the time.

        Args:
            shard: Which part of the fleet, from 0.
            shards: Of how many.
        """
        done, wave = Pass(), Wave(self.queue, self.turns)
        begun = [one for estate in self.fleet.estates if (one := self._begin(estate, shard, shards, done, wave))]
        # Those that were not looked at for longest are the nearest to losing something.
        looks = sorted((look for one in begun for look in one.looks), key=_since)
        unfinished: set[str] = set()
        for number, look in enumerate(looks):
            # One at least: a pass that is always short of time gets on, too.
            ends = bool(number) and self.remaining() <= 0
            if ends or look.estate.place in unfinished or not self._look(look, done, wave):
                unfinished.add(look.estate.place)
        wave.send()
        for one in begun:
            if one.estate.place not in unfinished:
                # After all that they led to: a pass that dies is followed by one that hears the same.
                if one.heard is not None:
                    self.turns.hear(one.estate.place, one.listener, one.heard)
                done.restarts += one.news.restarts
                done.failovers += one.news.failovers
        return done

    def _begin(self, estate: Estate, shard: int, shards: int, done: Pass, wave: Wave) -> "_Begun | None":
        """Return what is to be looked at in an estate; None if it does not answer."""
        try:
            return self._estate(estate, shard, shards, done, wave)
        except ApiThrottled:
            done.throttled = True
        except AccessRefused as refused:
            done.refused.append(f"{estate.place}: {refused}")
        except (ApiFailed, PortionUnreadable) as failed:
            done.failed.append(f"{estate.place}: {failed}")
        return None

    def _estate(self, estate: Estate, shard: int, shards: int, done: Pass, wave: Wave) -> "_Begun":
        api = self.api_of(estate)
        known = self.turns.of(estate.place)
        began, listener = self.now(), f"{shard}/{shards}"
        heard = self.turns.heard(estate.place, listener)
        events = self._events(api, estate, since(heard, began), began, done)
        news = unheard(heard, events or [])
        everything = {one.dbi_resource_id: one for one in api.instances(fresh=news.changes_fleet)}
        mine = [one for one in everything.values() if shard_of(one.dbi_resource_id, shards) == shard]
        wanted = [one for one in mine if self.fleet.has(one)]
        done.instances += len(wanted)
        facts = self.facts.of(estate.place)
        for one in wanted:
            self._note(estate, facts, one)
        for resource, (instance, _) in known.items():
            if resource not in everything and shard_of(resource, shards) == shard:
                self._deleted(estate, instance, done, wave)
        turns = {resource: turn for resource, (_, turn) in known.items()}
        shortest, _ = self._intervals
        looks = [
            _Look(estate, one, turn, facts, news)
            for one in wanted
            if is_due(turn := turns.get(one.dbi_resource_id), began, shortest) or news.about(one)
        ]
        return _Begun(estate, looks, news, listener, heard if events is None else remembered(events, began))

    def _events(
        self, api: "FleetApi", estate: Estate, begin: datetime, end: datetime, done: Pass
    ) -> list[Event] | None:
        """Return what RDS announced: nothing where the role may not hear it, None where it is to be asked for again.

        Nothing depends on it but that files are looked at sooner.
        """
        try:
            return api.events(begin, end)
        except AccessRefused as refused:
            done.refused.append(f"{estate.place}: {refused}")
            return []
        except ApiFailed as failed:
            done.failed.append(f"{estate.place}: {failed}")
            return None

    def _look(self, look: _Look, done: Pass, wave: Wave) -> bool:
        """Look at an instance, and return whether its account answers more."""
        place, instance, turn = look.estate.place, look.instance, look.turn
        shortest, longest = self._intervals
        try:
            self._instance(look, done, wave)
        except ApiThrottled:
            done.throttled = True
            return False
        except InstancePaused:
            done.paused += 1
            wave.add(Looked(place, instance, after_pause(turn, self.now(), shortest)))
        except InstanceGone:
            pass  # the next pass finds it gone from the list of instances, too
        except AccessRefused as refused:
            done.refused.append(f"{place}, {instance.instance_id}: {refused}")
        except (ApiFailed, PortionUnreadable) as failed:
            done.failed.append(f"{place}, {instance.instance_id}: {failed}")
            # Later than the others, each of which would wait for it.
            wave.add(Looked(place, instance, after_failure(turn, self.now(), shortest, longest)))
        return True

    def _instance(self, look: _Look, done: Pass, wave: Wave) -> None:
        estate, instance, turn = look.estate, look.instance, look.turn
        api, place = self.api_of(estate), estate.place
        listing = api.log_files(instance.instance_id, fresh=look.news.about(instance))
        remembered = self.turns.remembered(instance.dbi_resource_id)
        known = remembered.files
        if not listing and known:
            # An empty listing comes at times for no reason.
            listing = api.log_files(instance.instance_id, fresh=True)
        done.looked_at += 1
        done.files += len(listing)
        if not listing and known:
            return
        if turn is not None and turn.seen is not None:
            # Before the turn says that it was listed now: whoever comes after that cannot tell any more.
            for hours in unlisted(
                listing, known.values(), instance.engine, Unwatched(turn.seen, self.now(), turn.slept)
            ):
                done.gaps += self.turns.miss(instance.dbi_resource_id, hours, self.now())
        found = compare(listing, known, instance.engine, self.now(), remembered.displaced)
        if look.is_short_of_storage:
            found = found.hastened()
        done.ignored.update(found.ignored)
        self.turns.note(instance.dbi_resource_id, found.waiting)
        following = next_turn(turn, self.now(), *self._intervals, moved=bool(found.moved))
        tasks: list[tuple[CollectTask, str, str]] = []
        if found.moved:
            following = replace(following, watched=self._watch(instance, turn, found, known, done))
            formats = api.formats(instance)
            self._note(estate, look.facts, instance, formats)
            occasion = "" if turn is None else turn.due.isoformat()
            tasks = self._tasks(estate, instance, found, known, formats=formats, occasion=occasion, done=done)
        wave.add(Looked(place, instance, following, found.forgotten), tasks)

    def _deleted(self, estate: Estate, instance: Instance, done: Pass, wave: Wave) -> None:
        """Let what was not collected of a deleted instance be declared lost, then forget it."""
        self.facts.forget(estate.place, instance.dbi_resource_id)
        remembered = self.turns.remembered(instance.dbi_resource_id)
        known = remembered.files
        found = compare([], known, instance.engine, self.now(), remembered.displaced)
        occasion = self.now().isoformat()
        tasks = self._tasks(estate, instance, found, known, formats=Formats(), occasion=occasion, done=done)
        wave.add(Looked(estate.place, instance, forgotten=found.forgotten, over=not found.moved), tasks)

    def _tasks(
        self,
        estate: Estate,
        instance: Instance,
        found: Found,
        known: dict[str, Known],
        *,
        formats: Formats,
        occasion: str,
        done: Pass,
    ) -> list[tuple[CollectTask, str, str]]:
        """Return what is to be queued, and note which states of files that is about: none of it is dealt with."""
        now = self.now()
        self.turns.note(instance.dbi_resource_id, _noted(found.moved, known))
        done.queued += len(found.moved)
        for moved in found.moved:
            if not moved.name.compressed:
                done.behind += max(0, moved.listed.size - _size(known, moved))
            left = moved.deadline - now
            done.time_to_loss = left if done.time_to_loss is None else min(done.time_to_loss, left)
        return [(_task(estate, instance, moved, formats), moved.name.base, occasion) for moved in found.moved]

    def _watch(
        self, instance: Instance, turn: Turn | None, found: Found, known: dict[str, Known], done: Pass
    ) -> dict[str, Watched]:
        grown = generations(found.moved, known)
        offsets = self.turns.offsets(instance.dbi_resource_id, grown)
        watched = watch(turn.watched if turn else {}, grown, offsets)
        done.stalled += [(instance.instance_id, one) for one in watched.values() if one.is_stalled]
        return watched

    def _note(
        self, estate: Estate, facts: dict[str, Facts], instance: Instance, formats: Formats | None = None
    ) -> None:
        resource = instance.dbi_resource_id
        changed = noted(facts.get(resource), instance, self.now(), formats)
        if changed is not None:
            self.facts.put(estate.place, changed)
            facts[resource] = changed


def _since(look: _Look) -> float:
    return look.turn.due.timestamp() if look.turn is not None else 0.0


def _task(estate: Estate, instance: Instance, moved: Moved, formats: Formats) -> CollectTask:
    return CollectTask(
        file=estate.file(instance, moved.name.log_type, moved.listed.file),
        size=moved.listed.size,
        last_written=moved.listed.last_written,
        closed=moved.closed,
        deadline=moved.deadline,
        prefix=formats.prefix,
        time_zone=formats.time_zone,
        generation=moved.identity if moved.gone else None,
    )


def _noted(moved: Iterable[Moved], known: dict[str, Known]) -> list[Known]:
    """Return what is to be remembered and is not: which generation a name led to, until somebody has looked again."""
    noted = {
        one.listed.file: Known(
            one.listed.file,
            one.listed.size,
            one.listed.last_written,
            one.identity or (known[one.listed.file].identity if one.listed.file in known else None),
            settled=False,
            final=False,
        )
        for one in moved
    }
    return [one for one in noted.values() if one != known.get(one.file)]


def _size(known: dict[str, Known], moved: Moved) -> int:
    before = known.get(moved.listed.file)
    return before.size if before is not None and before.settled and before.size <= moved.listed.size else 0
