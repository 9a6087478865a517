"""Where things are: the keys of the lake bucket and of the runs bucket. Pure; nothing here talks to S3."""

from datetime import date, datetime
from typing import Final

LAKE: Final = "firewall_logs"
EVENTS: Final = f"{LAKE}/events"
QUARANTINE: Final = f"{LAKE}/quarantine"
HOURLY: Final = f"{LAKE}/hourly"
SEALED: Final = f"{LAKE}/sealed"


def lake_key(kind: str, partition: date, object_id: str, index: int) -> str:
    """Return the final key of a slice's file; the same for every attempt at the slice.

    Args:
        kind: "events", "quarantine" or "hourly".
        partition: `event_date`, or `object_date` for quarantine.
        object_id: Whose slice.
        index: Which slice.
    """
    return f"{partition_prefix(kind, partition)}{object_id}-{index:05d}.parquet"


def partition_prefix(kind: str, partition: date) -> str:
    """Return the prefix of one partition of one kind, with the slash at its end."""
    name = "object_date" if kind == "quarantine" else "event_date"
    return f"{LAKE}/{kind}/{name}={partition.isoformat()}/"


def object_date(last_modified: datetime) -> date:
    """Return the partition of an object's quarantine: of its LastModified, so that a rerun hits the same key."""
    return last_modified.date()


def manifest_key(source_id: str) -> str:
    """Return the key of an object version's manifest, in the lake bucket: one, whatever transform made it."""
    return f"{LAKE}/manifests/{source_id}.json"


def receipt_key(object_id: str, index: int) -> str:
    """Return the key of a slice's receipt, in the runs bucket."""
    return f"{LAKE}/receipts/{object_id}/{index:05d}.json"


def run_key(run_id: str, name: str) -> str:
    """Return the key of one of a run's documents, in the runs bucket."""
    return f"{LAKE}/runs/{run_id}/{name}"


def list_key(name: str, number: int) -> str:
    """Return the key of a list of objects that a run is to process, in the runs bucket."""
    return f"{LAKE}/lists/{name}/{number:05d}.jsonl"


def sealed_prefix(kind: str, day: date) -> str:
    """Return where the compacted files of a day are, with the slash at its end."""
    return f"{SEALED}/{kind}/event_date={day.isoformat()}/"


def sealed_key(kind: str, day: date, inputs_id: str, index: int) -> str:
    """Return the key of a compacted file: the same for every attempt, another one for other inputs.

    Args:
        kind: "events", "hourly", "rays" or "addresses".
        day: Its event date.
        inputs_id: Of the plan that it belongs to.
        index: Which cut.
    """
    return f"{sealed_prefix(kind, day)}{inputs_id}-{index:05d}.parquet"


def day_key(day: date, version: int) -> str:
    """Return the key of a sealed day's document, in the lake bucket."""
    return f"{LAKE}/days/event_date={day.isoformat()}/v{version:05d}.json"


def table_key(kind: str, day: date) -> str:
    """Return the key of the list of files that Athena reads for a day: one put switches versions."""
    return f"{LAKE}/tables/{kind}/event_date={day.isoformat()}/files.txt"


def quality_key(day: date, version: int) -> str:
    """Return the key of a day's verdicts, in the lake bucket."""
    return f"{LAKE}/quality/event_date={day.isoformat()}/v{version:05d}.parquet"


def seal_key(seal_id: str, name: str) -> str:
    """Return the key of one of a seal's documents, in the runs bucket."""
    return f"{LAKE}/seals/{seal_id}/{name}"


def backfill_key(backfill_id: str, name: str) -> str:
    """Return the key of one of a backfill's documents, in the runs bucket."""
    return f"{LAKE}/backfills/{backfill_id}/{name}"


def replay_claim_key(object_id: str, reason: str) -> str:
    """Return the key of the claim on an object's quarantined rows of one reason, in the lake bucket.

    In the lake, which forgets nothing: what the runs bucket holds expires, and rows must not be replayed anew then.
    """
    return f"{LAKE}/replays/{object_id}/{reason}.json"


def replay_source_key(object_id: str, reason: str) -> str:
    """Return the key of what such rows are replayed from, as S3 described it, in the lake bucket.

    Beside the claim: once the object itself has expired, its identity is what tells that it was replayed.
    """
    return f"{LAKE}/replays/{object_id}/{reason}.source.json"


def replay_object_key(object_id: str, reason: str, rules: str) -> str:
    """Return the key of the object that such rows are replayed from, in the runs bucket."""
    return f"{LAKE}/replays/{object_id}/{reason}-{rules}.ndjson.gz"


def replay_record_key(replay_id: str) -> str:
    """Return the key of what became of a replay, in the runs bucket."""
    return f"{LAKE}/replays/records/{replay_id}.json"


def compaction_key(seal_id: str, index: int) -> str:
    """Return the key of a cut's receipt, in the runs bucket."""
    return seal_key(seal_id, f"units/{index:05d}.json")
