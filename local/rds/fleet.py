"""A fleet as large companies have it: 316 instances of seven engines in two accounts, most of them idle."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final, Protocol

from local.endpoints import ACCOUNT, REGION
from local.rds.generators import Texture, generated, silent
from local.rds.model.estates import resource_id
from local.rds.model.instances import Cluster, DatabaseServer, Instance, Knobs
from local.rds.model.markers import MarkerStyle
from local.rds.model.sources import LogSource
from local.rds.model.world import World
from local.rds.servers import mariadb, postgres

PLACES: Final = ((ACCOUNT, REGION), ("222222222222", "eu-west-1"))
_CLUSTERS: Final = {"aurora-mysql": 40, "aurora-postgresql": 40}  # a writer and a reader each
_SINGLE: Final = {"mysql": 50, "postgres": 60, "mariadb": 20, "sqlserver-se": 16, "oracle-ee": 10}
# DescribeDBInstances shows them too; they have no logs here.
_NOT_RDS: Final = {"neptune": 3, "docdb": 3}
_VERSIONS: Final = {
    "aurora-mysql": "8.0.mysql_aurora.3.08.2",
    "aurora-postgresql": "16.6",
    "mysql": "8.4.5",
    "postgres": "17.5",
    "mariadb": "10.11.11",
    "sqlserver-se": "15.00.4430.1.v1",
    "oracle-ee": "19.0.0.0.ru-2026-04.rur-2026-04.r1",
    "neptune": "1.4.5.0",
    "docdb": "5.0.0",
}
_TEAMS: Final = ("checkout", "search", "billing", "identity", "logistics", "data")
_ENVIRONMENTS: Final = ("prod", "prod", "staging", "dev")
_PAUSED_CLUSTERS: Final = 3
# Parts of the fleet, and how many records a minute each log of theirs has at most.
_QUIET: Final = ((0.2, 4.0), (1.0, 0.05))
_BUSY: Final = 0.05


class RealServer(DatabaseServer, Protocol):
    """A server whose logs are real."""

    def source(self, kind: str) -> LogSource | None:
        """Return a log; None if it has no such."""


@dataclass(frozen=True)
class _Plan:
    identifier: str
    engine: str
    place: tuple[str, str]
    cluster: str | None = None
    paused: bool = False


def populate(
    world: World,
    seed: int,
    real: Mapping[str, RealServer] | None = None,
    *,
    busy: float = 40.0,
    quiet: float = 1.0,
    times: int = 1,
) -> None:
    """Put the fleet into a world.

    Args:
        world: Whose clock says when logging begins: a whole minute.
        seed: The same seed, the same fleet and the same logs.
        real: Servers by engine; the first instance of the engine has its logs.
        busy: Records a minute, at most, in each log of a twentieth of the instances.
        quiet: Times what the others write.
        times: How many fleets of this size.
    """
    servers = dict(real or {})
    draw = Random(seed)  # noqa: S311 - made up, and meant to come again
    for plan in _plans(times):
        instance = _instance(world, plan, seed, _load(draw, busy, quiet), servers.pop(plan.engine, None))
        estate = world.estate(*plan.place)
        estate.add(instance)
        if plan.cluster is None:
            continue
        cluster = estate.clusters.setdefault(
            plan.cluster,
            Cluster(
                plan.cluster,
                resource_id("cluster", str(seed), plan.cluster),
                plan.engine,
                _VERSIONS[plan.engine],
                [],
                plan.identifier,
                plan.paused,
                dict(instance.tags),
                _parameters(plan.engine),
            ),
        )
        cluster.members.append(plan.identifier)


def _plans(times: int) -> Iterator[_Plan]:
    for engine, number in _CLUSTERS.items():
        for index in range(number * times):
            cluster = f"{engine}-{index:02}"
            for member in (1, 2):
                place = PLACES[index % len(PLACES)]
                yield _Plan(f"{cluster}-{member}", engine, place, cluster, index >= (number - _PAUSED_CLUSTERS) * times)
    for engine, number in {**_SINGLE, **_NOT_RDS}.items():
        for index in range(number * times):
            yield _Plan(f"{engine}-{index:02}", engine, PLACES[index % len(PLACES)])


@dataclass(frozen=True)
class _Load:
    draw: Random
    per_minute: float
    texture: Texture


def _load(draw: Random, busy: float, quiet: float) -> _Load:
    chance = draw.random()
    if chance < _BUSY:
        texture = Texture(binary=draw.choice((0.0, 0.001)), huge=draw.choice((0.0, 0.0001)))
        return _Load(draw, busy * draw.uniform(0.5, 1.0), texture)
    most = next(most for part, most in _QUIET if chance < part)
    return _Load(draw, quiet * most * draw.uniform(0.5, 1.0), Texture())


def _instance(world: World, plan: _Plan, seed: int, load: _Load, server: RealServer | None) -> Instance:
    now = world.now()
    instance = Instance(
        identifier=plan.identifier,
        resource_id=resource_id("db", str(seed), plan.identifier),
        engine=plan.engine,
        engine_version=_VERSIONS[plan.engine],
        created=now,
        cluster=plan.cluster,
        instance_class="db.serverless" if plan.paused else "db.r7g.large",
        tags={"team": load.draw.choice(_TEAMS), "environment": load.draw.choice(_ENVIRONMENTS)},
        # Aurora's are set for the cluster.
        parameters=_parameters(plan.engine) if plan.cluster is None else {},
        knobs=Knobs(marker_style=MarkerStyle.DATED if plan.engine == "mysql" else MarkerStyle.HOUR),
        server=server,
    )
    instance.attach(_sources(plan, seed, now, load, server), now)
    instance.paused = plan.paused
    return instance


def _sources(
    plan: _Plan, seed: int, now: datetime, load: _Load, server: RealServer | None
) -> Callable[[str], LogSource | None]:
    if server is not None:
        return server.source
    if plan.paused:
        return silent(plan.engine)
    return generated(f"{seed}:{plan.identifier}", plan.engine, now, load.per_minute, load.texture)


def _parameters(engine: str) -> dict[str, Any]:
    if "postgres" in engine:
        return dict(postgres.PARAMETERS)
    return dict(mariadb.PARAMETERS) if engine in {"aurora-mysql", "mysql", "mariadb"} else {}
