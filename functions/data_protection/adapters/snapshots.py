"""Takes the snapshot of a place: all reads at once, as fast as AWS allows, each on its own feet."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import BotoCoreError, ClientError

from data_protection.checks.catalogue import catalogue
from data_protection.collection import Question, Questions
from data_protection.inventory import LISTINGS, reads_of
from data_protection.readings import Found, Missing, NotConfigured, Read, Reading, Unreadable
from data_protection.resources import Resource
from data_protection.snapshot import Snapshot

if TYPE_CHECKING:
    from botocore.client import BaseClient

_THREADS: Final = 16
_PACED_THREADS: Final = 10  # as many as come at once of most calls that AWS limits


class Pace:
    """Spreads the calls of a read that AWS limits over time: in no second are there more than it answers.

    After a pause as many come at once, and the next ones a second after them. What another process asks of the same
    account is not known here; AWS throttles then, and botocore asks again.

    Args:
        per_second: How many AWS answers, one or more.
        clock: Monotonic seconds.
        sleep: Waits for seconds.
    """

    IAM: ClassVar = frozenset[str]()

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._turns: deque[float] = deque(maxlen=int(per_second))
        self._lock = Lock()

    def take(self) -> None:
        """Wait for the next turn."""
        with self._lock:
            now = self._clock()
            is_full = len(self._turns) == self._turns.maxlen
            turn = max(now, self._turns[0] + 1) if is_full else now
            self._turns.append(turn)
        if turn > now:
            self._sleep(turn - now)


class Snapshots:
    """Takes snapshots with the clients of one account.

    Args:
        client: Returns the client of a service in a region.
        threads: How many calls are under way at once.
        reader: Who acts by these clients: who is to be given a right where one lacks.
    """

    IAM: ClassVar = frozenset(
        action
        for read in (
            *reads_of(LISTINGS),
            *(read for check in catalogue().values() for read in (*check.reads, *check.further)),
        )
        for action in read.actions
    )

    def __init__(
        self, client: "Callable[[str, str], BaseClient]", threads: int = _THREADS, *, reader: str = ""
    ) -> None:
        self._client = client
        self._threads = threads
        self._reader = reader
        self._paces: dict[str, Pace] = {}

    def take(self, questions: Questions, now: datetime) -> Snapshot:
        """Ask all questions and those that answers lead to, and return what came of each.

        No fault of one call touches another: it becomes the reading of this call.
        """
        readings: dict[tuple[Resource, str], Reading] = {}
        # Calls that AWS limits wait for their turn in threads of their own, so that no other call waits for them.
        with ThreadPoolExecutor(self._threads) as pool, ThreadPoolExecutor(_PACED_THREADS) as paced:

            def ask(asked: Sequence[Question]) -> None:
                running: dict[Future[Reading], Question] = {}
                while asked or running:
                    for question in asked:
                        chosen = pool if question.read.per_second is None else paced
                        running[chosen.submit(self._read, question, now)] = question
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    answered = {running.pop(future): future.result() for future in done}
                    for question, reading in answered.items():
                        readings[question.resource, question.read.name] = reading
                    asked = [more for answer in answered.items() for more in questions.follow(*answer)]

            ask(questions.inventory())
            ask(questions.begin(readings))
        return Snapshot(questions.place, now, readings, self._reader)

    def _read(self, question: Question, now: datetime) -> Reading:
        read, resource = question.read, question.resource
        if read.per_second is not None:
            self._paces.setdefault(read.name, Pace(read.per_second)).take()
        return reading_of(self._client, read, resource, now)


def reading_of(client: "Callable[[str, str], BaseClient]", read: Read, resource: Resource, now: datetime) -> Reading:
    """Make one call and return what came of it, whatever that is.

    Args:
        client: Returns the client of a service in a region, which may fail as the call may.
        read: The call.
        resource: What it is about.
        now: The time.
    """
    try:
        answer = _ask(client(read.service, resource.place.region), read, resource, now)
        if read.leads_to is not None:
            list(read.leads_to(resource, answer))
    except ClientError as error:
        return _refused(read, error)
    except BotoCoreError as error:
        return Unreadable(type(error).__name__, str(error))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Unreadable("MalformedResponse", f"{type(error).__name__}: {error}")
    return Found(answer)


def _ask(client: "BaseClient", read: Read, resource: Resource, now: datetime) -> Mapping[str, Any]:
    arguments = dict(read.arguments(resource)) | dict(read.timed(resource, now) if read.timed else {})
    if not read.merge:
        return _plain(getattr(client, read.operation)(**arguments))
    pages = [_plain(page) for page in client.get_paginator(read.operation).paginate(**arguments)]
    return pages[0] | {member: [item for page in pages for item in page.get(member, [])] for member in read.merge}


def _refused(read: Read, error: ClientError) -> Reading:
    code = error.response["Error"]["Code"]
    if code in read.missing:
        return Missing(code)
    if code in read.absent:
        return NotConfigured(code)
    metadata = error.response.get("ResponseMetadata", {})
    return Unreadable(code, error.response["Error"].get("Message", ""), metadata.get("RequestId", ""))


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as plain JSON, without what tells of the call itself."""
    kept = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    plain: dict[str, Any] = json.loads(json.dumps(kept, default=_text))
    return plain


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"an answer holds a {type(value).__name__}, which has no place in JSON")
