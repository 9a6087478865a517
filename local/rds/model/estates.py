"""An estate: what one account has in one region, and what can happen to it."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from local.rds.model.errors import ServiceError, instance_missing
from local.rds.model.instances import Cluster, Instance
from local.rds.model.throttle import RateLimit, TokenBucket

COMPLETE = "DownloadCompleteDBLogFile"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Event:
    """What DescribeEvents shows."""

    source: str
    source_type: str
    message: str
    categories: tuple[str, ...]
    at: datetime


def resource_id(kind: str, *parts: str) -> str:
    """Return an identity of the shape RDS gives, `db-` and 26 characters, the same for the same parts."""
    digest = hashlib.sha256("/".join((kind, *parts)).encode()).digest()
    return f"{kind}-{''.join(_ALPHABET[byte % 32] for byte in digest[:26])}"


@dataclass
class Estate:
    """What one account has in one region.

    Attributes:
        instances: By identifier, which RDS keeps in lower case.
        deleted: Instances that are gone, with all they ever wrote.
        limit: The rate limit; None: every call is answered.
    """

    account: str
    region: str
    instances: dict[str, Instance] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    deleted: list[Instance] = field(default_factory=list)
    limit: RateLimit | None = None
    calls: dict[str, int] = field(default_factory=dict)
    throttled: int = 0
    _bucket: TokenBucket | None = field(init=False, default=None)

    def add(self, instance: Instance) -> Instance:
        """Add an instance."""
        self.instances[instance.identifier.lower()] = instance
        return instance

    def instance(self, identifier: str) -> Instance:
        """Return an instance by its identifier, in whatever case.

        Raises:
            ServiceError: There is none.
        """
        if (found := self.instances.get(identifier.lower())) is None:
            raise instance_missing(identifier)
        return found

    def cluster(self, identifier: str) -> Cluster:
        """Return a cluster by its identifier, in whatever case.

        Raises:
            ServiceError: There is none.
        """
        if (found := self.clusters.get(identifier.lower())) is None:
            raise ServiceError("DBClusterNotFoundFault", 404, f"DBCluster {identifier} not found.")
        return found

    def admits(self, action: str, seconds: float, real_seconds: float) -> bool:
        """Count a call, and return whether the rate limit lets it through.

        Args:
            action: Counted under this name.
            seconds: The virtual clock.
            real_seconds: The machine's.
        """
        self.calls[action] = self.calls.get(action, 0) + 1
        if self.limit is None or (action == COMPLETE and not self.limit.complete_files):
            return True
        if self._bucket is None or self._bucket.limit != self.limit:
            self._bucket = TokenBucket(self.limit)
        admitted = self._bucket.take(real_seconds if self.limit.real_time else seconds)
        self.throttled += not admitted
        return admitted

    def tick(self, now: datetime) -> None:
        """Let all logs do what is due at this multiple of five minutes."""
        for instance in self.instances.values():
            if not instance.paused:
                for log in instance.logs:
                    log.tick(now)

    def purge(self, identifier: str, file: str, now: datetime) -> None:
        """Remove a file that is not written any more.

        Raises:
            ServiceError: It is, or there is none.
        """
        log = self.instance(identifier).log_of(file)
        log.finished(file)
        log.purge(file, now)

    def reboot(self, identifier: str, now: datetime) -> None:
        """Restart an instance; the ends of its files are lost."""
        instance = self.instance(identifier)
        self._note(identifier, "db-instance", "DB instance shutdown", ("availability",), now)
        instance.restart(now)
        self._note(identifier, "db-instance", "DB instance restarted", ("availability",), now)

    def failover(self, identifier: str, now: datetime) -> None:
        """Let another member of the cluster, of which this is it or one, or the standby of an instance, take over."""
        identifier = self._cluster_of(identifier)
        if identifier.lower() not in self.clusters:
            self._note(identifier, "db-instance", "Multi-AZ instance failover started.", ("failover",), now)
            self.reboot(identifier, now)
            self._note(identifier, "db-instance", "Multi-AZ instance failover completed", ("failover",), now)
            return
        cluster = self.cluster(identifier)
        old = cluster.writer
        cluster.writer = next((member for member in cluster.members if member != old), old)
        message = f"Started cross AZ failover to DB instance: {cluster.writer}"
        self._note(cluster.identifier, "db-cluster", message, ("failover",), now)
        for member in dict.fromkeys((old, cluster.writer)):
            self.reboot(member, now)
        message = f"Completed failover to DB instance: {cluster.writer}"
        self._note(cluster.identifier, "db-cluster", message, ("failover",), now)

    def pause(self, identifier: str, now: datetime, *, paused: bool = True) -> None:
        """Let a Serverless v2 instance sleep, or wake it."""
        self.instance(identifier).paused = paused
        message = "DB instance is paused" if paused else "DB instance resumed"
        self._note(identifier, "db-instance", message, ("notification",), now)

    def fill(self, identifier: str, now: datetime) -> None:
        """Let an instance run out of storage."""
        self.instance(identifier).status = "storage-full"
        message = "The allocated storage for the DB instance has been exhausted."
        self._note(identifier, "db-instance", message, ("low storage",), now)

    def delete(self, identifier: str, now: datetime) -> None:
        """Delete an instance; its logs go with it."""
        instance = self.instance(identifier)
        self.deleted.append(self.instances.pop(identifier.lower()))
        for log in instance.logs:
            for name in list(log.files):
                log.purge(name, now)
        for cluster in self.clusters.values():
            if instance.identifier in cluster.members:
                cluster.members.remove(instance.identifier)
        self._note(identifier, "db-instance", "DB instance deleted", ("deletion",), now)

    def recreate(self, identifier: str, now: datetime) -> None:
        """Delete an instance and make one of the same name, which has another DbiResourceId."""
        old = self.instance(identifier)
        self.delete(identifier, now)
        new = replace(
            old, resource_id=resource_id("db", old.resource_id, now.isoformat()), created=now, cluster=None, logs=[]
        )
        new.attach(old.sources, now)
        for log in new.logs:
            log.forget(now)
        self.add(new)
        self._note(identifier, "db-instance", "DB instance created", ("creation",), now)

    def _cluster_of(self, identifier: str) -> str:
        instance = self.instances.get(identifier.lower())
        return identifier if instance is None or instance.cluster is None else instance.cluster

    def _note(self, source: str, kind: str, message: str, categories: tuple[str, ...], now: datetime) -> None:
        self.events.append(Event(source, kind, message, categories, now))


def describe_event(event: Event, estate: Estate) -> dict[str, Any]:
    """Return an Event as botocore's model has it."""
    kind = "db" if event.source_type == "db-instance" else "cluster"
    return {
        "SourceIdentifier": event.source,
        "SourceType": event.source_type,
        "Message": event.message,
        "EventCategories": list(event.categories),
        "Date": event.at,
        "SourceArn": f"arn:aws:rds:{estate.region}:{estate.account}:{kind}:{event.source}",
    }
