"""What an instance is by its own word and by its cluster's."""

from datetime import UTC, datetime, timedelta

import pytest

from database_logs.boundaries.postgres import RDS_PREFIX
from database_logs.discovery.facts import noted
from database_logs.discovery.formats import Formats, formats_of
from database_logs.discovery.instances import Cluster, Instance, joined

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CLUSTER = Cluster(
    cluster_id="shop",
    members={"shop-1": False, "shop-2": True},
    status="available",
    engine_mode="provisioned",
    may_pause=True,
    tags={"team": "shop", "tier": "gold"},
    parameter_group="shop-cluster",
)


def _instance(name: str, cluster: str | None = "shop", **tags: str) -> Instance:
    return Instance(
        dbi_resource_id=f"db-{name}",
        instance_id=name,
        cluster_id=cluster,
        engine="aurora-mysql",
        status="available",
        tags=tags,
    )


def test_cluster_says_who_writes_and_where_its_parameters_are() -> None:
    one, other, alone = joined([_instance("shop-1"), _instance("shop-2"), _instance("orders", None)], [CLUSTER])
    assert (one.role, other.role, alone.role) == ("reader", "writer", None)
    assert (one.cluster_parameter_group, one.may_pause, one.cluster_status) == ("shop-cluster", True, "available")
    assert alone.cluster_parameter_group is None


def test_instance_has_the_tags_of_its_cluster_unless_it_says_otherwise() -> None:
    [instance] = joined([_instance("shop-1", team="search")], [CLUSTER])
    assert instance.tags == {"team": "search", "tier": "gold"}


def test_cluster_that_is_not_listed_changes_nothing() -> None:
    assert joined([_instance("shop-1")], []) == [_instance("shop-1")]


@pytest.mark.parametrize(
    ("cluster", "instance", "expected"),
    [
        ({}, {}, Formats(prefix=RDS_PREFIX, time_zone="UTC", destination="")),
        ({"log_line_prefix": "%m ", "log_destination": "csvlog"}, {}, Formats(prefix="%m ", destination="csvlog")),
        ({"log_line_prefix": "%m "}, {"log_line_prefix": "%t "}, Formats(prefix="%t ")),
        ({"log_timezone": "Asia/Tokyo"}, {"log_line_prefix": "%t "}, Formats(prefix="%t ", time_zone="Asia/Tokyo")),
        ({"time_zone": "Europe/Berlin"}, {}, Formats(time_zone="Europe/Berlin")),
    ],
)
def test_formats_are_those_of_the_cluster_where_the_instance_sets_none(
    cluster: dict[str, str], instance: dict[str, str], expected: Formats
) -> None:
    assert formats_of(cluster, instance) == expected


def test_facts_are_noted_when_they_change_and_once_a_day() -> None:
    instance = _instance("orders", None)
    first = noted(None, instance, NOW)
    assert first is not None
    assert noted(first, instance, NOW + timedelta(hours=23)) is None
    later = noted(first, instance, NOW + timedelta(hours=24))
    assert later is not None
    assert (later.first_seen, later.last_seen) == (NOW, NOW + timedelta(hours=24))
    known = noted(first, instance, NOW, Formats(prefix="%m "))
    assert known is not None
    assert noted(known, instance, NOW) is None
    changed = noted(known, instance.model_copy(update={"status": "storage-full"}), NOW)
    assert changed is not None
    assert changed.formats == Formats(prefix="%m ")
