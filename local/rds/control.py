"""What a test or a demo does to the world beside the API: time, writing, faults, restarts, and the truth at the end.

In a process of its own the server takes the same commands by HTTP: `POST /_rds/<command>`, arguments as JSON.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from local.endpoints import client
from local.rds.model.errors import invalid
from local.rds.model.estates import Estate
from local.rds.model.instances import DatabaseServer, Instance, Knobs
from local.rds.model.script import Rule, Script
from local.rds.model.sources import MemorySource
from local.rds.model.throttle import RateLimit
from local.rds.model.truth import FileTruth, truths
from local.rds.model.world import World
from local.rds.signatures import Key, Keys
from local.rds.workload import work

_RULES = TypeAdapter(list[Rule])


class Control:
    """Commands. Times are UTC; instances are found in whichever estate has them, by identifiers that must be unique."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._world.now()

    def advance(self, seconds: float) -> datetime:
        """Move the virtual clock, with all that is due on the way, and return the time."""
        return self._world.advance(timedelta(seconds=seconds))

    def run(self, speed: float) -> None:
        """Let the virtual clock go at a speed; 0 stops it."""
        self._world.run(speed)

    def write(self, instance: str, log: str, text: str) -> None:
        """Append text to a log in memory, given by the beginning of its file's name."""
        with self._world.lock:
            source = self._instance(instance).log_named(log).source
            if not isinstance(source, MemorySource):
                raise invalid(f"{log} of {instance} is written by itself: only a log in memory can be written to.")
            source.write(text.encode("utf-8", "surrogateescape"))

    def work(self, instance: str, seed: int, transactions: int, clients: int = 2, large: int = 0) -> None:
        """Let clients do transactions on a real server, as local/rds/workload.py has them."""
        work(self._server(instance).connect, seed, transactions, clients=clients, large=large)

    def stop(self, instance: str) -> None:
        """Shut a real server down in order; its logs stay, and nothing is written to them any more."""
        self._server(instance).stop()

    def rotate(self, instance: str, log: str) -> None:
        """Rotate a log, given by the beginning of its file's name."""
        with self._world.lock:
            self._instance(instance).log_named(log).rotate(self._world.now())

    def purge(self, instance: str, file: str) -> None:
        """Remove a file that is not written any more."""
        with self._world.lock:
            self._estate(instance).purge(instance, file, self._world.now())

    def compress(self, instance: str, file: str) -> None:
        """Replace a closed file by a compressed one with `.gz` at its name's end."""
        with self._world.lock:
            self._instance(instance).log_of(file).compress(file, self._world.now())

    def reboot(self, instance: str) -> None:
        """Restart an instance: it loses the ends of its files."""
        with self._world.lock:
            self._estate(instance).reboot(instance, self._world.now())

    def failover(self, identifier: str) -> None:
        """Let another take over in a cluster, or for an instance."""
        with self._world.lock:
            self._estate(identifier).failover(identifier, self._world.now())

    def pause(self, instance: str) -> None:
        """Let a Serverless v2 instance sleep."""
        with self._world.lock:
            self._estate(instance).pause(instance, self._world.now())

    def resume(self, instance: str) -> None:
        """Wake it."""
        with self._world.lock:
            self._estate(instance).pause(instance, self._world.now(), paused=False)

    def delete(self, instance: str) -> None:
        """Delete an instance with its logs."""
        with self._world.lock:
            self._estate(instance).delete(instance, self._world.now())

    def recreate(self, instance: str) -> None:
        """Delete an instance and make another of the same name."""
        with self._world.lock:
            self._estate(instance).recreate(instance, self._world.now())

    def knobs(self, instance: str, **values: Any) -> None:
        """Change how an instance's logs behave: members of Knobs."""
        with self._world.lock:
            found = self._instance(instance)
            found.knobs = TypeAdapter(Knobs).validate_python({**asdict(found.knobs), **values})

    def script(self, rules: list[Rule] | list[dict[str, Any]], seed: int = 0) -> None:
        """Replace what goes wrong from now on; no rules: nothing."""
        with self._world.lock:
            self._world.script = Script(tuple(_RULES.validate_python(rules)), seed)

    def applied(self) -> list[int]:
        """Return how often each rule of the script has applied."""
        with self._world.lock:
            return self._world.script.applied()

    def limit(self, account: str, region: str, limit: RateLimit | dict[str, Any] | None) -> None:
        """Set the rate limit of an account in a region; None: every call is answered."""
        with self._world.lock:
            self._world.estate(account, region).limit = TypeAdapter(RateLimit | None).validate_python(limit)

    def calls(self) -> dict[str, int]:
        """Return how many calls of each action came in, refused ones too, with `throttled` of them."""
        with self._world.lock:
            total: dict[str, int] = {"throttled": 0}
            for estate in self._world.estates.values():
                total["throttled"] += estate.throttled
                for action, number in estate.calls.items():
                    total[action] = total.get(action, 0) + number
            return total

    def key(self, access_key: str, **values: Any) -> None:
        """Add an access key, or replace it: members of Key."""
        self._keys.add(access_key, TypeAdapter(Key).validate_python(values))

    def cloud(self, endpoint: str) -> None:
        """Ask the STS of an embedded cloud for the accounts of its keys."""
        sts = client("sts", endpoint)

        def account(access_key: str) -> str | None:
            try:
                return str(sts.get_access_key_info(AccessKeyId=access_key)["Account"])
            except ClientError:
                return None

        self._keys.ask(account)

    def truth(self, folder: str | None = None) -> list[FileTruth]:
        """Return what was written by now, and what was purged and lost; with a folder, put the bytes there."""
        with self._world.lock:
            now = self._world.now()
            where = Path(folder) if folder is not None else None
            return [found for estate in self._world.estates.values() for found in truths(estate, now, where)]

    def _estate(self, identifier: str) -> Estate:
        name = identifier.lower()
        found = [
            estate for estate in self._world.estates.values() if name in estate.instances or name in estate.clusters
        ]
        if len(found) != 1:
            raise invalid(f"{len(found)} estates have {identifier}: there must be one.")
        return found[0]

    def _instance(self, identifier: str) -> Instance:
        return self._estate(identifier).instance(identifier)

    def _server(self, instance: str) -> DatabaseServer:
        with self._world.lock:
            server = self._instance(instance).server
        if server is None:
            raise invalid(f"{instance} is no real server.")
        return server
