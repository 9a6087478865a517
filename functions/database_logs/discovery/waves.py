"""Tasks of many instances, queued in the order in which RDS purges their files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn

if TYPE_CHECKING:
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.turns import Turns
    from database_logs.contracts import CollectTask

# Queued within some seconds. A pass has fewer, unless a large fleet is looked at for the first time.
_MOST_TASKS: Final = 5_000


@dataclass(frozen=True)
class Looked:
    """What is to be noted of a look once its tasks are queued; all of it may be done twice.

    Attributes:
        turn: The next; None if there is nothing to look at any more.
        forgotten: Names of files that need not be remembered.
        over: The instance is gone, and nothing of it is left to declare.
    """

    estate: str
    instance: Instance
    turn: Turn | None = None
    forgotten: Sequence[str] = ()
    over: bool = False


@dataclass
class Wave:
    """What is found and not queued yet.

    Attributes:
        queue: Of tasks.
        turns: What is remembered of looks.
    """

    queue: "CollectQueue"
    turns: "Turns"
    _tasks: list[tuple["CollectTask", str, str]] = field(default_factory=list)
    _looked: list[Looked] = field(default_factory=list)

    def add(self, looked: Looked, tasks: Sequence[tuple["CollectTask", str, str]] = ()) -> None:
        """Take what a look came to.

        Args:
            looked: The look.
            tasks: As CollectQueue.send has them.
        """
        self._tasks += tasks
        self._looked.append(looked)
        if len(self._tasks) >= _MOST_TASKS:
            self.send()

    def send(self) -> None:
        """Queue all tasks, what is purged first at first, and note what was looked at."""
        self.queue.send(sorted(self._tasks, key=lambda task: (task[0].deadline, task[0].file.file)))
        self.turns.set((one.estate, one.instance, one.turn) for one in self._looked if one.turn is not None)
        for one in self._looked:
            # After the turn: what is known of the time before a listing tells which hours no listing has.
            self.turns.drop(one.instance.dbi_resource_id, one.forgotten)
            if one.over:
                self.turns.forget(one.estate, one.instance)
        self._tasks, self._looked = [], []
