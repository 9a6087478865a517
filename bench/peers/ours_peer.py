"""The pipeline's own transform, called as ProcessUnit calls it."""

from pathlib import Path
from typing import Any

from common import BUCKET, FEED, KEY, LAST_MODIFIED, OBJECT_ID, ZONE, contend

from firewall_logs.contracts import Slice, SourceObject
from firewall_logs.transform import transform


def work(raw: Path, out: Path) -> dict[str, Any]:
    """Transform the file as one slice."""
    source = SourceObject(bucket=BUCKET, key=KEY, etag="bench", size=raw.stat().st_size, last_modified=LAST_MODIFIED)
    task = Slice(
        object_id=OBJECT_ID,
        epoch=1,
        index=0,
        slices=1,
        feed=FEED,
        zone=ZONE,
        format="parquet",
        naive_times="refuse",
        source=source,
    )
    outcome = transform(task, raw, out)
    return outcome.account.model_dump()


if __name__ == "__main__":
    contend(work)
