"""A small lake in a folder, its files named by their keys: objects that were committed, days that were sealed."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from json import dumps
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from firewall_logs import locations
from firewall_logs.contracts import Account, LakeFile, Manifest
from firewall_logs.days.contracts import DayObject, DaySealed, SealedDay, Verdict
from firewall_logs.days.lookups import write_lookups
from firewall_logs.identity import object_id, source_id
from firewall_logs.transform import Outcome
from firewall_logs.version import TRANSFORM_VERSION
from tests.support.firewall import a_feed, a_source
from tests.support.firewall_slices import of_lines
from tests.support.raw import an_event

BUCKET: Final = "lake"
AS_OF: Final = datetime(2026, 6, 9, 12, tzinfo=UTC)


def on(day: date, number: int, **given: Any) -> dict[str, Any]:
    """Return a raw event of a day; the number sets its hour."""
    return an_event(number, Datetime=f"{day}T{number % 24:02}:00:00Z", ClientRequestHost="shop.example.com") | given


@dataclass
class SmallLake:
    """What a lake would hold.

    Attributes:
        folder: Stands for the lake bucket.
        manifests: By source id.
        index: Items of the day index.
    """

    folder: Path
    manifests: dict[str, Manifest] = field(default_factory=dict)
    index: list[DayObject] = field(default_factory=list)

    def commit(self, name: str, events: Iterable[dict[str, Any] | str]) -> Manifest:
        """Transform events, or lines that are none, as one raw object and commit it."""
        source = a_source(key=f"cloudflare/47/{name}", last_modified=AS_OF)
        feed = a_feed(format="ndjson.gz")
        lines = [event if isinstance(event, str) else dumps(event) for event in events]
        scratch = self.folder.parent / "slice"
        outcome = of_lines(scratch, *lines, source=source).outcome
        manifest = Manifest(
            object_id=object_id(source, feed),
            transform_version=TRANSFORM_VERSION,
            feed=feed.name,
            zone=feed.zone,
            source=source,
            account=outcome.account,
            quarantined_by_reason=outcome.quarantined_by_reason,
            files=list(self._placed(outcome, object_id(source, feed))),
        )
        self.manifests[source_id(source)] = manifest
        self._write(locations.manifest_key(source_id(source)), manifest.model_dump_json().encode())
        for file in manifest.files:
            if file.kind == "events" and file.event_date:
                item = {"event_date": file.event_date, "object_id": manifest.object_id, "rows": file.rows}
                self.index.append(DayObject(**item, source_id=source_id(source), feed=feed.name))
        return manifest

    def seal(self, day: date, quality: Iterable[Verdict] = ()) -> DaySealed:
        """Seal a day: all that is loose of it, and the version before, become the next version."""
        before = self.newest(day)
        taken = [item for item in self.index if item.event_date == day]
        known = set(before.objects) if before else set()
        loose = [
            file
            for item in taken
            if item.object_id not in known
            for file in self.manifests[item.source_id].files
            if file.event_date == day
        ]
        version = before.version + 1 if before else 1
        inputs = [*loose, *(before.files if before else [])]
        files = [self._compacted(day, version, kind, inputs) for kind in ("events", "hourly")]
        files += self._lookups(day, version, files[0])
        rows = files[0].rows
        sealed = SealedDay(
            event_date=day,
            version=version,
            seal_id=f"seal-{day}-{version}",
            as_of=AS_OF,
            transform_versions=[TRANSFORM_VERSION],
            objects=[item.object_id for item in taken],
            account=Account(rows_in=rows, rows_out=rows),
            rows={"47": rows},
            arrivals={},
            files=files,
            replaced=[file.key for file in inputs],
            quality=list(quality),
        )
        key = locations.day_key(day, version)
        self._write(key, sealed.model_dump_json().encode())
        self._write_quality(sealed)
        for file in files:
            self._write(locations.table_key(file.kind, day), f"s3://{BUCKET}/{file.key}\n".encode())
        for file in inputs:
            self.folder.joinpath(file.key).unlink()
        return DaySealed(
            event_date=day,
            version=version,
            lake_bucket=BUCKET,
            document_key=key,
            rows=rows,
            files=len(files),
            late_rows=0,
        )

    def newest(self, day: date) -> SealedDay | None:
        """Return the newest version of a day."""
        found = sorted(self.folder.glob(f"{locations.LAKE}/days/event_date={day}/*.json"))
        return SealedDay.model_validate_json(found[-1].read_bytes()) if found else None

    def upload(self, s3: Any) -> None:
        """Put everything into the bucket, and remove there what is gone here."""
        listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        for key in {entry["Key"] for entry in listed} - {str(path.relative_to(self.folder)) for path in self._files()}:
            s3.delete_object(Bucket=BUCKET, Key=key)
        for path in self._files():
            body = path.read_bytes()
            digest = {"sha256": hashlib.sha256(body).hexdigest()}
            s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(self.folder)), Body=body, Metadata=digest)

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def _placed(self, outcome: Outcome, of: str) -> Iterable[LakeFile]:
        for local in outcome.files:
            key = locations.lake_key(local.kind, local.event_date or AS_OF.date(), of, 0)
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(local.path, path)
            yield self._described(key, local.kind, local.event_date)

    def _compacted(self, day: date, version: int, kind: Any, inputs: list[LakeFile]) -> LakeFile:
        frames = [
            pl.read_parquet(self.folder / file.key, hive_partitioning=False) for file in inputs if file.kind == kind
        ]
        key = locations.sealed_key(kind, day, f"{version:032x}", 0)
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        merged = pl.concat(frames)
        order = ["client_request_host", "event_time"] if kind == "events" else merged.columns[:-1]
        merged.sort(order).write_parquet(path, compression="zstd")
        return self._described(key, kind, day)

    def _lookups(self, day: date, version: int, events: LakeFile) -> Iterable[LakeFile]:
        rows = pl.read_parquet(self.folder / events.key, hive_partitioning=False)
        every = pl.int_range(rows.height, dtype=pl.get_index_type(), eager=True)
        for local in write_lookups(rows, every, day, self.folder.parent / "lookups"):
            key = locations.sealed_key(local.kind, day, f"{version:032x}", 0)
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(local.path, path)
            yield self._described(key, local.kind, day)

    def _described(self, key: str, kind: Any, day: date | None) -> LakeFile:
        path = self.folder / key
        frame = pl.read_parquet(path, hive_partitioning=False)
        times = frame["event_time"] if kind == "events" else None
        return LakeFile(
            kind=kind,
            key=key,
            event_date=day,
            rows=frame.height,
            bytes=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            min_time=times.min() if times is not None else None,
            max_time=times.max() if times is not None else None,
        )

    def _write_quality(self, sealed: SealedDay) -> None:
        path = self.folder / locations.quality_key(sealed.event_date, sealed.version)
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(
                "CREATE TABLE q (version BIGINT, feed VARCHAR, rule VARCHAR, measure VARCHAR, level VARCHAR, "
                'figure DOUBLE, "limit" DOUBLE, detail VARCHAR)'
            )
            for verdict in sealed.quality:
                values = [sealed.version, *verdict.model_dump().values()]
                connection.execute("INSERT INTO q VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            connection.execute(f"COPY q TO '{path}' (FORMAT parquet)")

    def _write(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
