"""RDS instances and the clusters that rule some of them: all of an account come in one answer each.

Encryption, backups and parameters that ask for TLS are the cluster's where an instance is of one, of Aurora or of RDS:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case
from data_protection.readings import Unreadable
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Verdict

_CHANGING: Final = frozenset({"backing-up", "creating", "modifying", "rebooting"})


@dataclass(frozen=True)
class Database:
    """An instance or a cluster.

    Attributes:
        resource: Which.
        state: What AWS says of it; members have the same names in both, but for the status.
    """

    resource: Resource
    state: Mapping[str, Any]

    @property
    def is_cluster(self) -> bool:
        """Whether it is a cluster."""
        return self.resource.kind is Kind.CLUSTER

    @property
    def _status(self) -> str:
        return str(self.state["Status" if self.is_cluster else "DBInstanceStatus"])

    def settled(self, verdict: Verdict) -> Verdict:
        """Return a verdict as one that will change while the database does: RDS takes no other change meanwhile."""
        return replace(verdict, settling=True) if self._status in _CHANGING else verdict

    def require_available(self) -> None:
        """Refuse a database that AWS would refuse to change.

        Raises:
            CannotChange: Something else is changing it.
        """
        if self._status != "available":
            raise CannotChange(f"{self.resource.name} is {self._status}: plan again when it is available.")

    def require_nothing_pending(self, setting: str) -> None:
        """Refuse a database where a call with ApplyImmediately would bring about more than one setting.

        AWS applies with it all that waits for the maintenance window, as a new version, whoever asked for that.

        Args:
            setting: That is to be changed.

        Raises:
            CannotChange: Something else waits.
        """
        if others := self._pending(setting):
            raise CannotChange(
                f"{', '.join(others)} of {self.resource.name} would be changed at once with {setting}, and wait for "
                "its maintenance window: plan again after it, or withdraw them."
            )

    def change(
        self,
        check: str,
        title: str,
        setting: str,
        value: Any,
        *,
        reversibility: Reversibility = Reversibility.REVERSIBLE,
        immediately: bool = False,
        **others: Any,
    ) -> Change:
        """Return the change of one setting, which the same call brings back to what it is, or was to become.

        Args:
            check: Id of the check that it is to satisfy.
            title: What it does.
            setting: As `BackupRetentionPeriod`, of the calls as of the state.
            value: That it will have.
            reversibility: What the same call with the value before brings back.
            immediately: Whether AWS would wait for the next maintenance window with it unless it is told not to; then
                nothing else may be pending. It is told so wherever nothing is, which harms nobody.
            others: Further members of the change.

        Raises:
            CannotChange: It would bring about what others have asked for the next maintenance window.
        """
        if immediately:
            self.require_nothing_pending(setting)
        before = self.present(setting)[setting]
        # Where nothing of others waits there is nothing else that would come at once.
        at_once = not self._pending(setting)
        return Change(
            check=check,
            title=title,
            call=self._modification(setting, value, immediately=at_once),
            inverse=self._modification(setting, before, immediately=immediately),
            reversibility=reversibility,
            before={setting: before},
            after={setting: value},
            target=self._target,
            **others,
        )

    def is_changed_by(self, change: Change) -> bool:
        """Return whether it is this one that a change was made of: an instance may be of another cluster by now."""
        return change.target == self._target

    @property
    def _target(self) -> str:
        return self.resource.arn if self.is_cluster else ""

    def _pending(self, setting: str) -> list[str]:
        """Return what else waits for the maintenance window, in order."""
        return sorted(self.state.get("PendingModifiedValues", {}).keys() - {setting})

    def present(self, setting: str) -> dict[str, Any]:
        """Return a setting as `before` and `after` of a change have it: what it is, or will be once it takes effect."""
        return {setting: self.state.get("PendingModifiedValues", {}).get(setting, self.state[setting])}

    def _modification(self, setting: str, value: Any, *, immediately: bool) -> Call:
        kind = "cluster" if self.is_cluster else "instance"
        identifier = f"DB{kind.title()}Identifier"
        parameters = {identifier: self.resource.name, "ApplyImmediately": immediately, setting: value}
        return Call(service="rds", operation=f"modify_db_{kind}", parameters=parameters)


def instance(case: Case[Any]) -> Database:
    """Return the instance that is judged.

    Raises:
        ResourceMissing: There is none of that name.
    """
    for one in case.get(INSTANCES)["DBInstances"]:
        if one["DBInstanceIdentifier"] == case.resource.name:
            return Database(case.resource, one)
    raise ResourceMissing(case.resource)


def cluster(case: Case[Any], of: Database) -> Database | None:
    """Return the cluster that an instance is of; None where it stands alone.

    Raises:
        NotRead: AWS lists no such cluster, as it was made or deleted between the two answers.
    """
    name = of.state.get("DBClusterIdentifier")
    if not name:
        return None
    for one in case.get(CLUSTERS)["DBClusters"]:
        if one["DBClusterIdentifier"] == name:
            return Database(Resource(Kind.CLUSTER, case.resource.place, name), one)
    account = account_of(case.resource.place)
    raise NotRead(CLUSTERS, account, Unreadable("NotListed", f"The answer does not hold the cluster {name}."))


def keeper(case: Case[Any]) -> Database:
    """Return what keeps the storage and the backups of the instance that is judged: its cluster, or itself.

    Raises:
        ResourceMissing: There is no such instance.
        NotRead: Its cluster is not listed.
    """
    own = instance(case)
    return cluster(case, own) or own


def members(place: Place, cluster: Mapping[str, Any]) -> Iterable[Resource]:
    """Return the instances of a cluster as AWS describes it."""
    return [
        Resource(Kind.DATABASE, place, one["DBInstanceIdentifier"])
        for one in sorted(cluster["DBClusterMembers"], key=lambda one: str(one["DBInstanceIdentifier"]))
    ]


def require_spared_by_none(case: Case[Any], check: str, shared: str, others: Iterable[Resource]) -> None:
    """Refuse the change of what others share, where one of them must be left alone.

    Args:
        case: The instance that is judged; whether it must be left alone is seen to elsewhere.
        check: Id of the check for which the change would be made.
        shared: Name of what would be changed.
        others: Whom the change would touch as well.

    Raises:
        CannotChange: An exception or a tag keeps changes away from one of them.
        NotRead: Tags were not read.
    """
    _require_none(case, shared, others, lambda other: case.scope.spared(check, other))


def require_protected_is_none(case: Case[Any], shared: str, others: Iterable[Resource]) -> None:
    """Refuse to undo a change of what others share, where a tag protects one of them.

    Args:
        case: The instance that is judged; whether it is protected is seen to elsewhere.
        shared: Name of what was changed.
        others: Whom the undoing would touch as well.

    Raises:
        CannotChange: A tag keeps changes away from one of them.
        NotRead: Tags were not read.
    """
    _require_none(case, shared, others, case.scope.protected)


def _require_none(case: Case[Any], shared: str, others: Iterable[Resource], kept: Callable[[Resource], str]) -> None:
    for other in others:
        if other != case.resource and (why := kept(other)):
            raise CannotChange(f"{shared} is shared by {other.name}, and {why}: settle that, or part the two.")
