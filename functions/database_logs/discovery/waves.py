"""Tasks of many instances, queued in the order in which RDS purges their files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.contracts import CollectTask

# Queued within some seconds. A pass has fewer, unless a large fleet is looked at for the first time.
_MOST_TASKS: Final = 5_000


@dataclass
class Wave:
    """What is found and not queued yet.

    Attributes:
        queue: Of tasks.
    """

    queue: "CollectQueue"
    _tasks: list[tuple["CollectTask", str, str]] = field(default_factory=list)
    _noted: list[Callable[[], None]] = field(default_factory=list)

    def add(self, tasks: Sequence[tuple["CollectTask", str, str]], noted: Callable[[], None]) -> None:
        """Take the tasks of an instance, and what is to be noted of it once they are queued.

        Args:
            tasks: As CollectQueue.send has them.
            noted: May be done twice.
        """
        self._tasks += tasks
        self._noted.append(noted)
        if len(self._tasks) >= _MOST_TASKS:
            self.send()

    def send(self) -> None:
        """Queue all tasks, what is purged first at first, and note it."""
        self.queue.send(sorted(self._tasks, key=lambda task: (task[0].deadline, task[0].file.file)))
        for note in self._noted:
            note()
        self._tasks, self._noted = [], []
