"""Instances and the clusters that they are members of, as far as collecting logs goes."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from kernel.contracts import Document


class Cluster(Document):
    """A cluster: of Aurora, or a Multi-AZ cluster of RDS.

    Attributes:
        members: By DBInstanceIdentifier, whether it is the writer.
        status: Status.
        engine_mode: EngineMode.
        may_pause: Serverless v2 down to no capacity.
        parameter_group: Of the cluster, in which Aurora sets how its logs are written.
    """

    cluster_id: str
    members: dict[str, bool]
    status: str
    engine_mode: str
    may_pause: bool
    tags: dict[str, str]
    parameter_group: str | None


class Instance(Document):
    """A database instance.

    Attributes:
        status: DBInstanceStatus.
        tags: Of the instance, and those of its cluster that it does not set itself.
        parameter_group: Of the instance; None without one.
        role: In the cluster; None without one.
        cluster_status, cluster_parameter_group, engine_mode, may_pause: As in `Cluster`.
    """

    dbi_resource_id: str
    instance_id: str
    cluster_id: str | None = None
    engine: str
    engine_version: str = ""
    instance_class: str = ""
    status: str
    tags: dict[str, str] = Field(default={})
    parameter_group: str | None = None
    role: Literal["writer", "reader"] | None = None
    cluster_status: str | None = None
    cluster_parameter_group: str | None = None
    engine_mode: str | None = None
    may_pause: bool = False

    def member_of(self, cluster: Cluster) -> "Instance":
        """Return the instance with what its cluster says of it."""
        return self.model_copy(
            update={
                "tags": {**cluster.tags, **self.tags},
                # A member that the cluster does not list yet is not its writer.
                "role": "writer" if cluster.members.get(self.instance_id) else "reader",
                "cluster_status": cluster.status,
                "cluster_parameter_group": cluster.parameter_group,
                "engine_mode": cluster.engine_mode,
                "may_pause": cluster.may_pause,
            }
        )


def joined(instances: Iterable[Instance], clusters: Iterable[Cluster]) -> list[Instance]:
    """Return instances with what their clusters say of them."""
    by_id = {cluster.cluster_id: cluster for cluster in clusters}
    return [
        instance
        if instance.cluster_id is None or (cluster := by_id.get(instance.cluster_id)) is None
        else instance.member_of(cluster)
        for instance in instances
    ]
