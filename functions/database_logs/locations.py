"""Where this domain's objects are: every key derives from what the object is about. Pure; nothing here talks to S3.

Raw segments are in the raw bucket, all else is in the lake bucket. Records are below
`logs/log_type=.../event_date=.../`, hive partitions, so that any engine reads them as one table.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import quote, unquote

from database_logs.contracts import SegmentCommitted
from database_logs.log_types import LogType
from database_logs.version import PARSER_VERSION

SEGMENTS: Final = "database_logs/segments"
LAKE: Final = "database_logs"
LOGS: Final = f"{LAKE}/logs"
PARTS: Final = f"{LAKE}/digests/parts"
MANIFESTS: Final = f"{LAKE}/manifests"
INDEX: Final = f"{LAKE}/index"
# Of a record without time in a segment without any: hive's name of the partition of null.
UNDATED: Final = "__HIVE_DEFAULT_PARTITION__"
# Where the index has segments of so many hours that an entry for each would cost more than it saves.
SCATTERED: Final = "scattered"


def segment_key(log_type: LogType, resource: str, generation: str, start: int, end: int) -> str:
    """Return the key of a raw segment: kind, instance, generation and range. Names of files keep their slashes."""
    return f"{SEGMENTS}/{log_type}/{resource}/{quote(generation, safe='/@.~')}/{start:015d}-{end:015d}.gz"


def pulled_key(log_type: LogType, resource: str, generation: str, start: int, end: int) -> str:
    """Return the key of the beginning of a segment whose end no call had time for; it expires as segments do."""
    return segment_key(log_type, resource, generation, start, end).removesuffix(".gz") + ".pulled.gz"


def segment_name(segment: SegmentCommitted) -> str:
    """Return the name of a segment: instance, the generation as 16 hex digits, first byte and the one after its last.

    The file's own name is no part of it, as that changes while the file stays the same.

    Offsets have as many digits as the largest file of RDS, 64 TiB.
    """
    identity = f"{segment.file.dbi_resource_id}\0{segment.generation}"
    generation = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return f"{segment.file.dbi_resource_id}-{generation}-{segment.start:015d}-{segment.end:015d}"


def manifest_key(name: str) -> str:
    """Return the key of the manifest of a segment: one, whichever version parsed it."""
    return f"{MANIFESTS}/{name}.json"


@dataclass(frozen=True)
class Indexed:
    """A segment as the index has it, whose keys say enough to choose segments without reading anything.

    Attributes:
        name: As `segment_name` returns it.
    """

    instance_id: str
    dbi_resource_id: str
    log_type: LogType
    file: str
    name: str


def hour_prefix(hour: datetime | str, instance_id: str | None = None) -> str:
    """Return the prefix of the segments that have records of an hour, in UTC, of all instances or of one.

    Args:
        hour: Its beginning; UNDATED for segments in which no record has a time, SCATTERED for those of many hours.
        instance_id: DBInstanceIdentifier; None for all.
    """
    prefix = f"{INDEX}/hour={hour if isinstance(hour, str) else f'{hour:%Y-%m-%dT%H}'}/"
    return prefix if instance_id is None else f"{prefix}{quote(instance_id, safe='')}/"


def index_key(hour: datetime | str, segment: SegmentCommitted) -> str:
    """Return the key that says that a segment has records of an hour; the object is empty."""
    file = segment.file
    prefix = hour_prefix(hour, file.instance_id)
    return f"{prefix}{file.log_type.value}/{quote(file.file, safe='')}/{segment_name(segment)}"


def indexed(key: str) -> Indexed:
    """Return what a key of the index says."""
    instance, log_type, file, name = key.split("/")[-4:]
    # Offsets and generation have no dashes.
    resource = name.rsplit("-", 3)[0]
    return Indexed(unquote(instance), resource, LogType(log_type), unquote(file), name)


def records_key(log_type: LogType, day: date | None, name: str) -> str:
    """Return the key of the records of a segment that happened on a day."""
    return f"{logs_prefix(log_type, day)}{_versioned(name)}"


def logs_prefix(log_type: LogType, day: date | None) -> str:
    """Return the prefix of the records of a kind of log and a day, with the slash at its end."""
    return f"{LOGS}/log_type={log_type.value}/event_date={_day(day)}/"


def part_key(day: date | None, name: str) -> str:
    """Return the key of the part that a segment is of a day's digest."""
    return f"{parts_prefix(day)}{_versioned(name)}"


def parts_prefix(day: date | None) -> str:
    """Return the prefix of the parts of a day's digest, with the slash at its end."""
    return f"{PARTS}/event_date={_day(day)}/"


def behind_part(key: str) -> str:
    """Return what comes behind the keys that a segment's part has, whichever version wrote it, and before others."""
    return f"{key.rpartition('-v')[0]}-v~"


def merged_key(day: date, folder: str, number: int) -> str:
    """Return the key of a range of what some parts of a day come to; it expires after some days.

    Args:
        day: Of the digest.
        folder: Named after the content of all ranges.
        number: Of the range, from 0.
    """
    return f"{LAKE}/digests/merged/date={day.isoformat()}/{folder}/{number:04d}.parquet"


def digest_key(day: date) -> str:
    """Return the key of a day's digest."""
    return f"{LAKE}/digests/date={day.isoformat()}/digest.parquet"


def report_key(day: date) -> str:
    """Return the key of the report of a day's digest."""
    return f"{LAKE}/digests/date={day.isoformat()}/report.html"


def refused_key(name: str, record: int) -> str:
    """Return the key of what search refused of a request, which begins with that record of the segment."""
    return f"{LAKE}/search/refused/{name}/{record:09d}.jsonl.gz"


def progress_key(message_id: str) -> str:
    """Return the key of how far a message of the search queue came before it was interrupted."""
    return f"{LAKE}/search/progress/{message_id}.json"


def replay_key(replay_id: str, name: str) -> str:
    """Return the key of one of a replay's documents."""
    return f"{LAKE}/replays/{replay_id}/{name}"


def page_key(replay_id: str, number: int) -> str:
    """Return the key of a list of segments that a replay is to send."""
    return replay_key(replay_id, f"segments-{number:05d}.jsonl")


def restore_key(page: str) -> str:
    """Return the key of what a replay from RDS is to restore, whose segments come to be listed in a page."""
    return page.replace("/segments-", "/restore-")


def progress_of_key(page: str) -> str:
    """Return the key of how far the restoring of a page came before it was interrupted."""
    return page.replace("/segments-", "/progress-").replace(".jsonl", ".json")


def unavailable_key(page: str) -> str:
    """Return the key of what could not be restored for a page, since RDS does not have it any more."""
    return page.replace("/segments-", "/unavailable-")


def gone_key(replay_id: str) -> str:
    """Return the key of the segments that a replay found lacking, and whose files RDS does not list any more."""
    return replay_key(replay_id, "gone.jsonl")


def lists_key(replay_id: str) -> str:
    """Return the key of the names of a replay's lists."""
    return replay_key(replay_id, "lists.jsonl")


def checked_key(page: str) -> str:
    """Return the key of what became of a list of a replay."""
    return page.replace("/segments-", "/checked-").replace(".jsonl", ".json")


def queued_key(page: str) -> str:
    """Return the key of the mark that a list of a replay was queued."""
    return page.replace("/segments-", "/queued-").replace(".jsonl", ".json")


def _versioned(name: str) -> str:
    return f"{name}-v{PARSER_VERSION:04d}.parquet"


def _day(day: date | None) -> str:
    return UNDATED if day is None else day.isoformat()
