"""Where this domain's objects are: every key derives from what the object is about."""

from typing import Final
from urllib.parse import quote

from database_logs.log_types import LogType

SEGMENTS: Final = "database_logs/segments"


def segment_key(log_type: LogType, resource: str, generation: str, start: int, end: int) -> str:
    """Return the key of a raw segment: kind, instance, generation and range. Names of files keep their slashes."""
    return f"{SEGMENTS}/{log_type}/{resource}/{quote(generation, safe='/@.~')}/{start:015d}-{end:015d}.gz"
