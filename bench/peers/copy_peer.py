"""The copy limit: polars reads every column and writes it, and does nothing else."""

from pathlib import Path
from typing import Any

import polars as pl
from common import ROW_GROUP, ZSTD_LEVEL, contend


def work(raw: Path, out: Path) -> dict[str, Any]:
    """Copy the file, streaming."""
    path = out / "events" / "data.parquet"
    path.parent.mkdir(parents=True)
    pl.scan_parquet(raw).sink_parquet(path, compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=ROW_GROUP)
    return {"rows_in": pl.scan_parquet(path).select(pl.len()).collect().item()}


if __name__ == "__main__":
    contend(work)
