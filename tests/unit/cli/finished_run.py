"""A finished run as the pipeline leaves it, made from the contracts: for tests of what people see.

Real parquet in real (moto) buckets, so that the report reads what it reads in life.
"""

import hashlib
import io
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from firewall_logs.contracts import (
    Account,
    Disagreement,
    Drift,
    FailureRecord,
    LakeFile,
    Manifest,
    Measured,
    PlannedObject,
    Proof,
    Receipt,
    ReconciledObject,
    Reconciliation,
    RunPlan,
    RunSummary,
    SourceObject,
)
from firewall_logs.identity import source_id
from firewall_logs.locations import lake_key, manifest_key, receipt_key, run_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pydantic import BaseModel

VERSION = "1+polars-2.1.0"
DAY = datetime(2026, 3, 14, tzinfo=UTC)
ACTIONS = {
    "block": 46,
    "managedchallenge": 22,
    "log": 14,
    "jschallenge": 7,
    "skip": 6,
    "challengesolved": 3,
    "allow": 2,
}
SOURCES = ("firewallmanaged", "firewallcustom", "ratelimit", "botmanagement", "iprange")
HOSTS = (
    "shop.example.com",
    "api.example.com",
    "www.example.com",
    "login.example.com",
    "cdn.example.net",
    "admin.example.org",
)
RULES = [hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest() for n in range(40)]
REASONS = {
    "time_missing": 24,
    "json_syntax": 31,
    "type_conflict": 18,
    "ip_invalid": 9,
    "duplicate_key": 6,
    "wrong_dataset": 12,
}
FEEDS = {"edge-main": "example.com", "edge-api": "example.net", "archive": "example.org"}


@dataclass
class FinishedRun:
    """Builds one run of `objects` raw objects into two buckets.

    Attributes:
        defects: Positions of objects that were quarantined whole.
        disagree: Positions of objects two witnesses quarrel about.
        uncommitted: Positions of objects without manifest.
        rows: Rows of an ordinary object.
    """

    s3: "S3Client"
    lake: str = "lake"
    runs: str = "runs"
    run_id: str = "run-1"
    objects: int = 12
    rows: int = 9_000
    seed: int = 1
    defects: frozenset[int] = frozenset()
    disagree: frozenset[int] = frozenset()
    uncommitted: frozenset[int] = frozenset()
    started_at: datetime = DAY + timedelta(hours=26)
    failure: FailureRecord | None = None
    with_summary: bool = True
    manifests: list[Manifest] = field(default_factory=list)

    def build(self) -> "FinishedRun":
        """Put everything and return self."""
        rng = random.Random(self.seed)  # noqa: S311 - made-up numbers, no secrets
        planned: list[PlannedObject] = []
        reconciled: list[ReconciledObject] = []
        # Four units at once, as the machine would run them.
        lanes = [0.0] * 4
        for position in range(self.objects):
            manifest = self._object(position, rng)
            planned.append(self._planned(manifest))
            seconds = 0.4 + manifest.account.rows_in / rng.randint(16_000, 26_000)
            begin = min(lanes)
            self._receipt(manifest, unit=position, begin=begin, seconds=seconds)
            lanes[lanes.index(begin)] += seconds + 0.05
            if position not in self.uncommitted:
                self.manifests.append(manifest)
                self._put(self.lake, manifest_key(source_id(manifest.source)), manifest)
            reconciled.append(self._reconciled(manifest, position))
        self._put(self.runs, run_key(self.run_id, "plan.json"), self._plan(planned))
        self._put(self.runs, run_key(self.run_id, "reconciliation.json"), self._reconciliation(reconciled))
        if self.with_summary:
            self._put(self.runs, run_key(self.run_id, "summary.json"), self._summary(max(lanes)))
        if self.failure:
            self._put(self.runs, run_key(self.run_id, "failure.json"), self.failure)
        return self

    @property
    def account(self) -> Account:
        """Sum of what was committed."""
        return sum((m.account for m in self.manifests), Account())

    # ------------------------------------------------------------ one object

    def _object(self, position: int, rng: random.Random) -> Manifest:
        feed = list(FEEDS)[position % len(FEEDS)]
        suffix = "parquet" if feed == "archive" else "log.gz"
        key = f"cloudflare/{feed}/20260314/20260314T{position % 24:02d}0000Z_{position:04x}.{suffix}"
        object_id = hashlib.sha256(f"{self.run_id if self.seed else ''}{key}".encode()).hexdigest()[:32]
        source = SourceObject(
            bucket="raw",
            key=key,
            version_id=f"v{position}",
            etag=object_id,
            size=rng.randint(400_000, 900_000),
            last_modified=DAY + timedelta(hours=position % 24 + 1),
        )
        common = {"object_id": object_id, "transform_version": VERSION, "feed": feed, "zone": FEEDS[feed]}
        if position in self.defects:
            return Manifest(**common, source=source, account=Account(), object_defect="gzip_truncated", files=[])
        bad = {reason: rng.randint(0, weight) for reason, weight in REASONS.items()}
        bad = {reason: rows for reason, rows in bad.items() if rows}
        quarantined, duplicates = sum(bad.values()), rng.randint(5, 90)
        rows_in = self.rows + rng.randint(-self.rows // 3, self.rows // 3)
        account = Account(
            rows_in=rows_in,
            rows_out=rows_in - quarantined - duplicates,
            quarantined=quarantined,
            duplicates=duplicates,
        )
        files = [
            *self._events_and_hourly(object_id, account.rows_out, position, rng),
            self._quarantine_file(object_id, bad, feed, key),
        ]
        return Manifest(
            **common,
            source=source,
            account=account,
            quarantined_by_reason=bad,
            columns_seen=["Action", "ClientIP", "Datetime"],
            drift=Drift(
                columns={"BotScoreSrc": rng.randint(3, 40)} if position % 4 == 0 else {},
                values={"Action": {"precursorissued": rng.randint(1, 9)}} if position % 5 == 0 else {},
                time_forms={"rfc3339": account.rows_in - 7, "unixnano": 7},
            ),
            files=files,
        )

    def _events_and_hourly(self, object_id: str, rows: int, position: int, rng: random.Random) -> list[LakeFile]:
        cells: dict[tuple[int, str, str, str, str], int] = {}
        hour = position % 24
        draws = min(rows, 400)
        for draw in range(draws):
            weight = rows // draws + (1 if draw < rows % draws else 0)
            action = rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            host = rng.choices(HOSTS, (34, 26, 18, 12, 7, 3))[0]
            cell = (
                (hour + rng.choice((0, 0, 0, 1))) % 24,
                host,
                action,
                rng.choice(SOURCES),
                RULES[int(rng.triangular(0, len(RULES), 0))],
            )
            cells[cell] = cells.get(cell, 0) + weight
        columns = list(zip(*cells, strict=True))
        names = ("event_hour", "client_request_host", "action", "source", "rule_id")
        frame = pl.DataFrame(dict(zip(names, columns, strict=True))).with_columns(
            pl.col("event_hour").cast(pl.Int8), events=pl.Series(list(cells.values()), dtype=pl.Int64)
        )
        events = frame.select(pl.exclude("events").repeat_by("events").explode(empty_as_null=False))
        return [
            self._parquet(kind, lake_key(kind, DAY.date(), object_id, 0), each, DAY.date())
            for kind, each in (("events", events), ("hourly", frame))
        ]

    def _quarantine_file(self, object_id: str, bad: dict[str, int], feed: str, key: str) -> LakeFile:
        reasons = [reason for reason, rows in bad.items() for _ in range(rows)]
        fields = ["ClientASN" if reason == "type_conflict" else None for reason in reasons]
        frame = pl.DataFrame(
            {
                "reason": reasons,
                "field": fields,
                "row": range(len(reasons)),
                "raw": [b"{"] * len(reasons),
                "object_id": [object_id] * len(reasons),
                "bucket": ["raw"] * len(reasons),
                "key": [key] * len(reasons),
                "version_id": ["v"] * len(reasons),
                "feed": [feed] * len(reasons),
            },
            schema_overrides={"field": pl.String},
        )
        path = lake_key("quarantine", DAY.date(), object_id, 0)
        return self._parquet("quarantine", path, frame, None)

    def _parquet(self, kind: str, key: str, frame: pl.DataFrame, day: date | None) -> LakeFile:
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd")
        body = buffer.getvalue()
        self.s3.put_object(Bucket=self.lake, Key=key, Body=body)
        digest = hashlib.sha256(body).hexdigest()
        return LakeFile.model_validate(
            {"kind": kind, "key": key, "event_date": day, "rows": frame.height, "bytes": len(body), "sha256": digest}
        )

    # ------------------------------------------------------------ the documents around it

    def _planned(self, manifest: Manifest) -> PlannedObject:
        return PlannedObject(
            ref={"bucket": "raw", "key": manifest.source.key, "version_id": manifest.source.version_id},
            status="planned",
            object_id=manifest.object_id,
            feed=manifest.feed,
            size=manifest.source.size,
            slices=1,
            epoch=1,
        )

    def _receipt(self, manifest: Manifest, *, unit: int, begin: float, seconds: float) -> None:
        proof = Proof(
            object_id=manifest.object_id,
            index=0,
            slices=1,
            transform_version=VERSION,
            feed=manifest.feed,
            zone=manifest.zone,
            source=manifest.source,
            account=manifest.account,
            source_rows=manifest.account.rows_in,
            quarantined_by_reason=manifest.quarantined_by_reason,
            object_defect=manifest.object_defect,
            drift=manifest.drift,
            files=manifest.files,
        )
        measured = Measured(
            run_id=self.run_id,
            unit=unit,
            started_at=self.started_at + timedelta(seconds=2 + begin),
            seconds=seconds,
            memory_mb=1769,
            cpu_seconds=seconds * 0.9,
            peak_rss_mb=310 + manifest.account.rows_in / 100,
            bytes_read=manifest.source.size,
            bytes_written=sum(file.bytes for file in manifest.files),
            s3_gets=2,
            s3_puts=4,
        )
        self._put(self.runs, receipt_key(manifest.object_id, 0), Receipt(proof=proof, measured=measured))

    def _reconciled(self, manifest: Manifest, position: int) -> ReconciledObject:
        wrong = position in self.disagree
        return ReconciledObject(
            object_id=manifest.object_id,
            feed=manifest.feed,
            key=manifest.source.key,
            account=manifest.account,
            footer_rows=manifest.account.rows_out - (7 if wrong else 0),
            files=len(manifest.files),
            object_defect=manifest.object_defect,
            reconciled=not wrong,
        )

    def _plan(self, planned: list[PlannedObject]) -> RunPlan:
        return RunPlan(
            run_id=self.run_id,
            transform_version=VERSION,
            started_at=self.started_at,
            planned_at=self.started_at + timedelta(seconds=1),
            units=len(planned),
            objects=planned,
        )

    def _reconciliation(self, reconciled: list[ReconciledObject]) -> Reconciliation:
        return Reconciliation(
            run_id=self.run_id,
            reconciled_at=self.started_at + timedelta(minutes=2),
            account=sum((each.account for each in reconciled), Account()),
            footer_rows=sum(each.footer_rows for each in reconciled),
            objects=reconciled,
            disagreements=[
                Disagreement(
                    object_id=each.object_id,
                    check="footer_rows",
                    expected=str(each.account.rows_out),
                    found=str(each.footer_rows),
                    where="receipt and parquet footers",
                )
                for each in reconciled
                if not each.reconciled
            ],
        )

    def _summary(self, seconds: float) -> RunSummary:
        committed = self.manifests
        reasons: dict[str, int] = {}
        feeds: dict[str, Account] = {}
        for manifest in committed:
            feeds[manifest.feed] = feeds.get(manifest.feed, Account()) + manifest.account
            for reason, rows in manifest.quarantined_by_reason.items():
                reasons[reason] = reasons.get(reason, 0) + rows
        rows_in = self.account.rows_in
        return RunSummary(
            run_id=self.run_id,
            transform_version=VERSION,
            started_at=self.started_at,
            finished_at=self.started_at + timedelta(seconds=seconds + 4),
            reconciled=not self.disagree,
            event_lag_seconds=3600.0,
            account=self.account,
            quarantined_by_reason=reasons,
            objects=self.objects,
            objects_committed=len(committed),
            objects_skipped=0,
            objects_defect=len(self.defects),
            units=self.objects,
            slices=self.objects,
            files=sum(len(m.files) for m in committed),
            bytes_in=sum(m.source.size for m in committed),
            bytes_out=sum(file.bytes for m in committed for file in m.files),
            drift=Drift(),
            seconds=seconds + 4,
            processing_seconds=seconds,
            rows_per_second=rows_in / seconds,
            lag_seconds_max=7_200,
            usd=rows_in * 8.1e-8,
            usd_by_component={
                "lambda_compute": rows_in * 5.2e-8,
                "lambda_requests": rows_in * 2e-10,
                "step_functions": rows_in * 1.9e-8,
                "s3_puts": rows_in * 7e-9,
                "s3_gets": rows_in * 8e-10,
                "dynamodb_writes": rows_in * 2e-9,
            },
            usd_per_million_rows=0.081,
            feeds=feeds,
        )

    def _put(self, bucket: str, key: str, document: "BaseModel") -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=document.model_dump_json().encode())
