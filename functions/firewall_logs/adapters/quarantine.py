"""The quarantine's rows as they came."""

import gzip
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Rows at once: a raw row may be a megabyte.
_SLAB: Final = 4096


class QuarantineReader:
    """Reads quarantine files of the lake."""

    IAM: ClassVar = frozenset({"s3:GetObject", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def write_raw(self, keys: Iterable[str], reason: str, path: Path) -> int:
        """Write an object's rows of one reason as gzip NDJSON, and return how many they are.

        The bytes follow from the rows alone: no time is in them, and the rows keep their order in the object.

        Args:
            keys: Of all quarantine files of the object, in the order of its slices.
            reason: Which rows; a record without row, of an object that could not be read, is none.
            path: Of the new file.
        """
        rows = 0
        with path.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as lines:
            for key in keys:
                with tempfile.NamedTemporaryFile() as parquet:
                    self._s3.download_fileobj(self._bucket, key, parquet)
                    parquet.flush()
                    rows += _write(Path(parquet.name), reason, lines)
        return rows


def _write(parquet: Path, reason: str, lines: gzip.GzipFile) -> int:
    rows = 0
    for raw in _slabs(pl.scan_parquet(parquet), reason):
        rows += len(raw)
        lines.writelines(line + b"\n" for line in raw)
    return rows


def _slabs(scan: pl.LazyFrame, reason: str) -> Iterator[pl.Series]:
    length = scan.select(pl.len()).collect().item()
    for start in range(0, length, _SLAB):
        slab = scan.slice(start, _SLAB).filter((pl.col("reason") == reason) & pl.col("row").is_not_null())
        yield slab.select("raw").collect()["raw"]
