"""The API's actions: parameters as botocore's model has them in, members of the answer out."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from local.rds.model.errors import (
    ServiceError,
    invalid,
    not_ready,
)
from local.rds.model.estates import Estate, describe_event
from local.rds.model.generations import Generation
from local.rds.model.instances import Cluster, Instance
from local.rds.model.logs import Log, Resolution
from local.rds.model.markers import parse
from local.rds.model.portions import (
    MAX_LINES,
    NOTICE,
    CutMarker,
    Slice,
    last_lines,
    line_end,
    slice_lines,
    transmissible,
)
from local.rds.model.script import Effect

T = TypeVar("T")
Effects = dict[Effect, int]
_MIN_RECORDS = 20
_MAX_RECORDS = 100
_EVENTS_KEPT = timedelta(days=14)


@dataclass(frozen=True)
class Call:
    """A call of an action.

    Attributes:
        parameters: Members of the input.
        now: The virtual time.
        effects: What goes wrong with the answer, and how much.
    """

    estate: Estate
    parameters: dict[str, Any]
    now: datetime
    effects: Effects


@dataclass(frozen=True)
class CompleteFile:
    """What the REST path sends.

    Attributes:
        size: Bytes at the time of the request; what is written later is not sent.
        packed: The bytes of a compressed file, which is closed; None for any other.
    """

    generation: Generation
    size: int
    packed: bytes | None = None


def describe_db_instances(call: Call) -> dict[str, Any]:
    """DescribeDBInstances: of all engines, Neptune's and DocumentDB's too."""
    estate = call.estate
    identifier = _from_arn(call.parameters.get("DBInstanceIdentifier"))
    found = [estate.instance(identifier)] if identifier else list(estate.instances.values())
    fields: dict[str, Callable[[Instance], str]] = {
        "db-cluster-id": lambda instance: instance.cluster or "",
        "db-instance-id": lambda instance: instance.identifier,
        "dbi-resource-id": lambda instance: instance.resource_id,
        "engine": lambda instance: instance.engine,
        "domain": lambda _: "",
    }
    found = _filtered(found, call, fields)
    page, marker = _page(sorted(found, key=lambda instance: instance.identifier), _limit(call), call)
    described = [instance.describe(estate.account, estate.region) for instance in page]
    return {"DBInstances": described, **marker}


def describe_db_clusters(call: Call) -> dict[str, Any]:
    """DescribeDBClusters."""
    estate = call.estate
    identifier = _from_arn(call.parameters.get("DBClusterIdentifier"))
    found = [estate.cluster(identifier)] if identifier else list(estate.clusters.values())
    found = _filtered(
        found,
        call,
        {
            "db-cluster-id": lambda cluster: cluster.identifier,
            "db-cluster-resource-id": lambda cluster: cluster.resource_id,
            "engine": lambda cluster: cluster.engine,
            "clone-group-id": lambda _: "",
            "domain": lambda _: "",
        },
    )
    page, marker = _page(sorted(found, key=lambda cluster: cluster.identifier), _limit(call), call)
    return {"DBClusters": [cluster.describe(estate.account, estate.region) for cluster in page], **marker}


def describe_events(call: Call) -> dict[str, Any]:
    """DescribeEvents: of the last hour, if nothing else is said; kept 14 days."""
    asked = call.parameters
    if "SourceIdentifier" in asked and "SourceType" not in asked:
        raise ServiceError("InvalidParameterCombination", 400, "SourceIdentifier cannot be given without SourceType.")
    end = asked.get("EndTime", call.now)
    start = asked.get("StartTime", end - timedelta(minutes=asked.get("Duration", 60)))
    if start > end:
        raise invalid("The parameter StartTime must be before EndTime.")
    categories = set(asked.get("EventCategories", ()))
    found = [
        event
        for event in call.estate.events
        if max(start, call.now - _EVENTS_KEPT) <= event.at <= end
        and asked.get("SourceIdentifier", event.source) == event.source
        and asked.get("SourceType", event.source_type) == event.source_type
        and (not categories or categories.intersection(event.categories))
    ]
    page, marker = _page(found, _limit(call), call)
    return {"Events": [describe_event(event, call.estate) for event in page], **marker}


def describe_db_parameters(call: Call) -> dict[str, Any]:
    """DescribeDBParameters: those that say how logs are written."""
    return _parameters(call, call.parameters["DBParameterGroupName"], call.estate.instances.values())


def describe_db_cluster_parameters(call: Call) -> dict[str, Any]:
    """DescribeDBClusterParameters: those that say how logs are written."""
    return _parameters(call, call.parameters["DBClusterParameterGroupName"], call.estate.clusters.values())


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """ListTagsForResource, of instances and clusters."""
    arn = call.parameters["ResourceName"]
    kind, _, identifier = arn.partition(":rds:")[2].partition(":")[2].partition(":")[2].partition(":")
    resource = call.estate.cluster(identifier) if kind == "cluster" else call.estate.instance(identifier)
    return {"TagList": [{"Key": key, "Value": value} for key, value in resource.tags.items()]}


def describe_db_log_files(call: Call) -> dict[str, Any]:
    """DescribeDBLogFiles: by name; conditions must all hold."""
    asked = call.parameters
    instance = _awake(call)
    if asked.get("Filters"):
        raise invalid("Filters are not supported by DescribeDBLogFiles.")
    files = [_listed(instance, log, name, call) for log in instance.logs for name in log.files]
    found = [
        file
        for file in sorted(files, key=lambda file: str(file["LogFileName"]))
        if asked.get("FilenameContains", "") in file["LogFileName"]
        and file["LastWritten"] >= asked.get("FileLastWritten", 0)
        and file["Size"] > asked.get("FileSize", -1)
    ]
    if Effect.EMPTY_LISTING in call.effects:
        found = []
    most = instance.knobs.page_size
    if not instance.engine.startswith("oracle"):
        most = min(most, asked.get("MaxRecords", most))
    return _files(found, most, call)


def download_db_log_file_portion(call: Call) -> dict[str, Any]:
    """DownloadDBLogFilePortion: see docs/local-cloud.md for what it does to a line that does not fit."""
    asked = call.parameters
    instance = _awake(call)
    log = instance.log_of(asked["LogFileName"])
    lines = max(1, min(asked.get("NumberOfLines", MAX_LINES), MAX_LINES))
    given = asked.get("Marker")
    if Effect.MARKER_EMPTY in call.effects:
        return {"LogFileData": b"", "Marker": "", "AdditionalDataPending": False}
    if Effect.MARKER_ECHO in call.effects:
        return {"LogFileData": b"", "Marker": given, "AdditionalDataPending": False}
    if given is None:
        found = log.resolve(asked["LogFileName"], None, call.now, instance.knobs.marker_style)
        taken = last_lines(found.generation, lines, instance.knobs.portion_bytes, call.now)
        return _portion(instance, found, taken, call)
    found = log.resolve(asked["LogFileName"], parse(given), call.now, instance.knobs.marker_style)
    size = found.generation.size(call.now)
    if found.following is not None and found.offset >= size:
        live, prefix = found.following
        found = Resolution(live, 0, prefix)
        size = live.size(call.now)
    if found.stuck or found.offset > size:
        return {"LogFileData": b"", "Marker": given, "AdditionalDataPending": False}
    taken = slice_lines(found.generation, found.offset, lines, instance.knobs.portion_bytes, call.now)
    return _portion(instance, found, taken, call)


def complete_file(call: Call) -> CompleteFile:
    """DownloadCompleteDBLogFile, which is no action but a REST path."""
    instance = _awake(call)
    name = call.parameters["LogFileName"]
    log = instance.log_of(name)
    generation = log.files[name]
    if name in log.compressed:
        packed = log.packed(generation, call.now)
        return CompleteFile(generation, len(packed), packed)
    return CompleteFile(generation, generation.size(call.now))


ACTIONS: Final[dict[str, Callable[[Call], dict[str, Any]]]] = {
    "DescribeDBInstances": describe_db_instances,
    "DescribeDBClusters": describe_db_clusters,
    "DescribeEvents": describe_events,
    "DescribeDBParameters": describe_db_parameters,
    "DescribeDBClusterParameters": describe_db_cluster_parameters,
    "ListTagsForResource": list_tags_for_resource,
    "DescribeDBLogFiles": describe_db_log_files,
    "DownloadDBLogFilePortion": download_db_log_file_portion,
}


def _parameters(call: Call, name: str, owners: Iterable[Instance | Cluster]) -> dict[str, Any]:
    for owner in owners:
        if owner.parameter_group == name:
            shown = [
                {"ParameterName": key, "ParameterValue": value, "Source": "user", "ApplyType": "dynamic"}
                for key, value in sorted(owner.parameters.items())
                if call.parameters.get("Source", "user") == "user"
            ]
            page, marker = _page(shown, _limit(call), call)
            return {"Parameters": page, **marker}
    raise ServiceError("DBParameterGroupNotFound", 404, f"DBParameterGroup not found: {name}")


def _portion(instance: Instance, found: Resolution, taken: Slice, call: Call) -> dict[str, Any]:
    now, knobs, generation = call.now, instance.knobs, found.generation
    data, end, size = taken.data, taken.end, generation.size(now)
    prefix = found.prefix
    if taken.cut:
        data += NOTICE
        if knobs.cut_marker is CutMarker.NEXT_LINE:
            end = line_end(generation, end, now, 1 + call.effects.get(Effect.SKIP_LINES, 0))
        elif knobs.cut_marker is CutMarker.BEFORE_CUT:
            end -= knobs.cut_back
    elif found.following is not None and end >= size:
        # The renamed file is finished: the marker leads into the one that is written now.
        live, prefix = found.following
        end, size = 0, live.size(now)
    pending = end < size and Effect.PENDING_FALSE not in call.effects
    if again := call.effects.get(Effect.DUPLICATE_FRAGMENT):
        data = generation.read(max(0, found.offset - again), found.offset, now) + data
    answer: dict[str, Any] = {"LogFileData": transmissible(data, knobs.binary)}
    if Effect.MARKER_MISSING not in call.effects:
        answer["Marker"] = f"{prefix}:{end}"
    if Effect.PENDING_MISSING not in call.effects:
        answer["AdditionalDataPending"] = pending
    return answer


def _awake(call: Call) -> Instance:
    instance = call.estate.instance(call.parameters["DBInstanceIdentifier"])
    if instance.paused:
        raise not_ready(instance.identifier)
    return instance


def _listed(instance: Instance, log: Log, name: str, call: Call) -> dict[str, Any]:
    generation = log.files[name]
    size = log.listed_size(name, call.now)
    written = max(generation.created, generation.last_written - instance.knobs.last_written_trails)
    return {
        "LogFileName": name,
        "LastWritten": int(written.timestamp() * 1000),
        "Size": size + call.effects.get(Effect.LISTED_BEYOND_READABLE, 0),
    }


def _from_arn(identifier: str | None) -> str | None:
    return identifier.rpartition(":")[2] if identifier else None


def _filtered(found: list[T], call: Call, fields: dict[str, Callable[[T], str]]) -> list[T]:
    for condition in call.parameters.get("Filters", ()):
        if (field := fields.get(condition["Name"])) is None:
            raise invalid(f"Unrecognized filter name: {condition['Name']}")
        values = {value.rpartition(":")[2].lower() for value in condition["Values"]}
        found = [one for one in found if field(one).lower() in values]
    return found


def _files(found: list[dict[str, Any]], most: int, call: Call) -> dict[str, Any]:
    """Return a page after the name in the marker, so that a purge meanwhile moves nothing."""
    after = _decoded(call)
    rest = [file for file in found if file["LogFileName"] > after]
    answer: dict[str, Any] = {"DescribeDBLogFiles": rest[:most]}
    if len(rest) > most:
        answer["Marker"] = _opaque(rest[most - 1]["LogFileName"])
    return answer


def _limit(call: Call) -> int:
    limit = call.parameters.get("MaxRecords", _MAX_RECORDS)
    if not _MIN_RECORDS <= limit <= _MAX_RECORDS:
        raise invalid(f"Invalid value {limit} for MaxRecords. Must be between {_MIN_RECORDS} and {_MAX_RECORDS}")
    return int(limit)


def _page(found: list[T], most: int, call: Call) -> tuple[list[T], dict[str, str]]:
    given = _decoded(call) or "0"
    if not given.isdigit():
        raise invalid("The Marker is not one of this listing.")
    start = int(given)
    page = found[start : start + most]
    return page, {} if start + most >= len(found) else {"Marker": _opaque(str(start + most))}


def _opaque(position: str) -> str:
    return base64.b64encode(position.encode()).decode()


def _decoded(call: Call) -> str:
    try:
        return base64.b64decode(call.parameters.get("Marker", ""), validate=True).decode()
    except (ValueError, binascii.Error):
        raise invalid("The Marker is not one of this listing.") from None
