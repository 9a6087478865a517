"""CommitRun's work: manifests, day index, reopened days, ledger, summary, event, in this order."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import (
    Account,
    Manifest,
    Measured,
    PlannedObject,
    Proof,
    Receipt,
    Reconciliation,
    RunPlan,
    RunSummary,
)
from firewall_logs.days.arrivals import day_objects
from firewall_logs.days.contracts import DayObject, DayReopened
from firewall_logs.errors import LeaseLost
from firewall_logs.names import add_counts, add_up, first_columns
from kernel import prices
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayIndex
    from firewall_logs.adapters.lake import Manifests
    from firewall_logs.adapters.ledger import LedgerCommits
    from firewall_logs.adapters.runs import ReceiptReader
    from firewall_logs.adapters.sealed import SealedReader
    from kernel.metering import Taken

_THREADS: Final = 16

# Transitions of process_objects: of the machine itself, and of each unit's child execution.
TRANSITIONS_PER_RUN: Final = 8
TRANSITIONS_PER_UNIT: Final = 2
_CALLS_PER_RUN: Final = 3  # PlanRun, ReconcileRun, CommitRun

# What the steps write after they have measured themselves: plan and both lists of units, the reconciliation, the
# summary; and the Distributed Map's manifest and list of results.
_LATER_PUTS: Final = 3 + 1 + 1 + 2
_MAP_GETS: Final = 1  # units.jsonl
# Of /tmp: what ProcessUnit is given (the template), and what every function has for nothing.
PROCESS_UNIT_STORAGE_MB: Final = 4096
_FREE_STORAGE_MB: Final = 512
# With bucket keys S3 asks KMS once a requester (role) and bucket, again after a while that AWS does not tell; DynamoDB
# after five minutes. Three roles use three buckets and a table, each for reading and for writing.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
_KEY_SECONDS: Final = 300
_KEY_REQUESTS: Final = 3 * (3 + 1) * 2


@dataclass(frozen=True)
class _Attempt:
    """What became of one object: published with these receipts for these days, or refused for a reason."""

    planned: PlannedObject
    manifest: Manifest | None = None
    receipts: list[Receipt] = field(default_factory=list)
    days: list[DayObject] = field(default_factory=list)
    refusal: str | None = None


class Committer:
    """Publishes what was reconciled."""

    def __init__(
        self,
        receipts: "ReceiptReader",
        manifests: "Manifests",
        days: "DayIndex",
        sealed: "SealedReader",
        commits: "LedgerCommits",
    ) -> None:
        self._receipts = receipts
        self._manifests = manifests
        self._days = days
        self._sealed = sealed
        self._commits = commits

    def commit(
        self,
        plan: RunPlan,
        verdict: Reconciliation,
        *,
        architecture: str,
        now: datetime,
        taken: "Callable[[], Taken]",
    ) -> tuple[RunSummary, list[DayReopened]]:
        """Commit each object that reconciled, and return the summary of the run and the sealed days that it reopened.

        Args:
            plan: What was to be done.
            verdict: Which objects agreed.
            architecture: Of the functions; it sets their price.
            now: The time of the commit.
            taken: Tells what the step itself has taken so far.

        An object whose witnesses disagree stays as it is: claimed, without manifest, invisible to readers. One that
        another run has taken over, or that has another manifest, does not hold up the others: the summary names it.
        """
        agreed = {found.object_id for found in verdict.objects if found.reconciled}
        objects = [planned for planned in plan.objects if planned.object_id in agreed and planned.status == "planned"]
        with ThreadPoolExecutor(_THREADS) as threads:
            published = list(threads.map(self._publish, objects))
            reopened = self._reopen(plan.run_id, [entry for attempt in published for entry in attempt.days])
            # The ledger last: who finds an object committed there may rely on all of it.
            attempts = list(threads.map(lambda attempt: self._close(attempt, now), published))
        steps = [step for step in (plan.taken, verdict.taken, taken()) if step is not None]
        return _summarise(plan, verdict, attempts, steps, architecture=architecture, now=now), reopened

    def _publish(self, planned: PlannedObject) -> _Attempt:
        object_id = str(planned.object_id)
        receipts = [
            receipt for i in range(planned.slices) if (receipt := self._receipts.read(object_id, i)) is not None
        ]
        manifest = manifest_of([receipt.proof for receipt in receipts])
        try:
            self._manifests.publish(manifest)
        except EffectConflict as refused:
            return _Attempt(planned, refusal=str(refused))
        days = day_objects(manifest)
        for entry in days:
            self._days.add(entry)
        return _Attempt(planned, manifest, receipts, days)

    def _reopen(self, run_id: str, entries: list[DayObject]) -> list[DayReopened]:
        """Open the days again whose newest version lacks one of these objects; see ADR 7, late rows."""
        by_day: defaultdict[date, list[DayObject]] = defaultdict(list)
        for entry in entries:
            by_day[entry.event_date].append(entry)
        reopened = []
        for day, members in sorted(by_day.items()):
            version = self._days.open(day).version
            # An attempt before this one may have been killed behind the index, and a seal have taken it in since.
            late = self._late(day, version, members) if version else []
            if late and self._days.reopen(day, run_id, version):
                rows = sum(member.rows for member in late)
                reopened.append(
                    DayReopened(event_date=day, version=version, run_id=run_id, objects=len(late), rows=rows)
                )
        return reopened

    def _late(self, day: date, version: int, members: list[DayObject]) -> list[DayObject]:
        document = self._sealed.find(day, version)
        taken = set(document.objects) if document else set()
        return [member for member in members if member.object_id not in taken]

    def _close(self, attempt: _Attempt, now: datetime) -> _Attempt:
        manifest = attempt.manifest
        if manifest is None:
            return attempt
        defect = None if manifest.account.rows_out else manifest.object_defect
        try:
            self._commits.commit(manifest.object_id, attempt.planned.epoch, manifest.account, defect=defect, now=now)
        except LeaseLost as refused:
            return _Attempt(attempt.planned, refusal=str(refused))
        return attempt


def manifest_of(proofs: list[Proof]) -> Manifest:
    """Return the manifest of an object from the proofs of all its slices."""
    first = proofs[0]
    columns_seen, columns_omitted = first_columns(column for proof in proofs for column in proof.columns_seen)
    return Manifest(
        object_id=first.object_id,
        transform_version=first.transform_version,
        feed=first.feed,
        zone=first.zone,
        source=first.source,
        account=_account(proofs),
        quarantined_by_reason=add_counts(proof.quarantined_by_reason for proof in proofs),
        object_defect=next((proof.object_defect for proof in proofs if proof.object_defect), None),
        columns_seen=columns_seen,
        columns_omitted=columns_omitted + sum(proof.columns_omitted for proof in proofs),
        drift=add_up(proof.drift for proof in proofs),
        files=[file for proof in proofs for file in proof.files],
        replay_of=first.replay_of,
    )


def _summarise(
    plan: RunPlan,
    verdict: Reconciliation,
    attempts: list[_Attempt],
    steps: "list[Taken]",
    *,
    architecture: str,
    now: datetime,
) -> RunSummary:
    receipts = [receipt for attempt in attempts for receipt in attempt.receipts]
    proofs = [receipt.proof for receipt in receipts]
    # Slices that an earlier run finished cost this one nothing.
    own = [receipt for receipt in receipts if receipt.measured.run_id == plan.run_id]
    measured = [receipt.measured for receipt in own]
    own_rows = sum(receipt.proof.account.rows_in for receipt in own)
    account = _account(proofs)
    by_object = {proof.object_id: proof for proof in proofs}
    wall = _wall(measured)
    usage = _usage(plan, measured, steps, wall, architecture)
    usd = {component: usd for component, usd in prices.estimate(usage).items() if usd}
    total = sum(usd.values())
    feeds: defaultdict[str, list[Proof]] = defaultdict(list)
    for proof in proofs:
        feeds[proof.feed].append(proof)
    return RunSummary(
        run_id=plan.run_id,
        transform_version=plan.transform_version,
        started_at=plan.started_at,
        finished_at=now,
        reconciled=verdict.reconciled,
        account=account,
        quarantined_by_reason=add_counts(proof.quarantined_by_reason for proof in proofs),
        objects=len(plan.objects),
        objects_committed=len(by_object),
        objects_refused={str(a.planned.object_id): a.refusal for a in attempts if a.refusal is not None},
        objects_skipped=sum(o.status in {"committed_before", "leased_elsewhere", "ignored"} for o in plan.objects),
        objects_defect=len(
            {proof.object_id for proof in proofs if proof.object_defect}
            - {proof.object_id for proof in proofs if proof.account.rows_out}
        ),
        units=plan.units + plan.batch_units,
        slices=len(proofs),
        files=sum(len(proof.files) for proof in proofs),
        bytes_in=sum(proof.source.size for proof in by_object.values()),
        bytes_out=sum(file.bytes for proof in proofs for file in proof.files),
        drift=add_up(proof.drift for proof in proofs),
        seconds=round((now - plan.started_at).total_seconds(), 3),
        processing_seconds=round(wall, 3),
        rows_per_second=round(own_rows / wall, 1) if wall else 0.0,
        lag_seconds_max=max(
            ((now - proof.source.last_modified).total_seconds() for proof in by_object.values()), default=0.0
        ),
        event_lag_seconds=_event_lag(proofs, now),
        usd=total,
        usd_by_component=usd,
        usd_per_million_rows=total / own_rows * 1e6 if own_rows else None,
        feeds={feed: _account(members) for feed, members in feeds.items()},
    )


def _usage(
    plan: RunPlan, measured: list[Measured], steps: "list[Taken]", wall: float, architecture: str
) -> prices.Usage:
    requests: Counter[str] = Counter()
    for step in steps:
        requests.update(step.requests)
    counted = prices.counted(requests)
    busy = wall + sum(step.seconds for step in steps)
    in_functions = [m for m in measured if not m.vcpus]
    on_fargate = [m for m in measured if m.vcpus]
    return prices.Usage(
        architecture=architecture,
        lambda_gb_seconds=sum(m.memory_mb / 1024 * m.seconds for m in in_functions)
        + sum(step.memory_mb / 1024 * step.seconds for step in steps),
        lambda_storage=(PROCESS_UNIT_STORAGE_MB - _FREE_STORAGE_MB) / 1024 * sum(m.seconds for m in in_functions),
        lambda_requests=plan.units + _CALLS_PER_RUN,
        state_transitions=TRANSITIONS_PER_RUN + TRANSITIONS_PER_UNIT * (plan.units + plan.batch_units),
        fargate_vcpu_seconds=sum(m.vcpus * m.seconds for m in on_fargate),
        fargate_gb_seconds=sum(m.memory_mb / 1024 * m.seconds for m in on_fargate),
        s3_puts=counted.get("s3_puts", 0) + sum(m.s3_puts for m in measured) + _LATER_PUTS,
        s3_lists=counted.get("s3_lists", 0),
        s3_gets=counted.get("s3_gets", 0) + sum(m.s3_gets for m in measured) + _MAP_GETS,
        # ProcessUnit renews and marks each slice.
        dynamodb_writes=counted.get("dynamodb_writes", 0) + 2 * len(measured),
        dynamodb_reads=counted.get("dynamodb_reads", 0),
        kms=_KEY_REQUESTS * max(1, math.ceil(busy / _KEY_SECONDS)),
        eventbridge=1,
    )


def _wall(measured: list[Measured]) -> float:
    if not measured:
        return 0.0
    start = min(m.started_at.timestamp() for m in measured)
    return max(m.started_at.timestamp() + m.seconds for m in measured) - start


def _event_lag(proofs: Iterable[Proof], now: datetime) -> float | None:
    latest = max((file.max_time for proof in proofs for file in proof.files if file.max_time), default=None)
    return (now - latest).total_seconds() if latest else None


def _account(proofs: Iterable[Proof]) -> Account:
    return sum((proof.account for proof in proofs), Account())
