"""What objects will take before anybody has read them: rows, units, time and money. Pure.

Each figure is measured or assumed, and says which. An estimate is for deciding whether to start and where to stop; what
was spent is in the runs' own summaries.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from firewall_logs.backfills.contracts import Density, Engine, Estimate, Planning, Wave
from firewall_logs.committer import TRANSITIONS_PER_RUN, TRANSITIONS_PER_UNIT
from firewall_logs.planning import DECODED_RATIO, TASK_BYTES
from kernel import prices

# bench/results/firewall_pipeline.json: large units, one at a time, through plan, function, S3 and ledger.
ROWS_PER_SECOND: Final = 264_010
# The same: what a unit takes beside its rows.
UNIT_SECONDS: Final = 0.14
# Assumed: S3 to one function, on the safe side of the 90 MB/s that are usual.
BYTES_PER_SECOND: Final = 53e6
# Assumed: PlanRun, ReconcileRun and CommitRun, and the machine between them.
RUN_SECONDS: Final = 20.0
OBJECT_SECONDS: Final = 0.02
# Of the demo's feeds at 200,000 rows (119 and 144 bytes a row of gzip NDJSON, 54 of parquet): used until committed
# objects or footers of the feed itself tell.
DEFAULT_ROWS_PER_BYTE: Final = {"ndjson.gz": 1 / 130, "parquet": 1 / 54}
FUNCTION_GB: Final = 4.0
# Assumed: a task on Fargate works as fast as a function, which is no faster than what was measured, and takes a minute
# to start. Its memory follows from its CPUs: stacks/firewall_logs_batch.yaml.
TASK_SECONDS: Final = 60.0
TASK_GB_PER_VCPU: Final = 7.5

# Of an object of one slice and two days: files, receipt and manifest; footers, receipts, listing; claim, renewal, mark,
# commit.
_PUTS: Final = 7
_GETS: Final = 14
_WRITES: Final = 4
_CALLS: Final = 4  # of a wave: NextWave, PlanRun, ReconcileRun, CommitRun
_TRANSITIONS: Final = TRANSITIONS_PER_RUN + 4


@dataclass(frozen=True)
class Capacity:
    """What units run on.

    Attributes:
        architecture: Of the functions.
        concurrency: Units at once.
        unit_bytes: Decoded bytes of a unit.
        heavy_bytes: Decoded bytes of an object above which it goes to Fargate.
        task_memory_mb: Of a task on Fargate; 0 where there is none.
        engine: Which the request asks for.
    """

    architecture: str
    concurrency: int
    unit_bytes: int
    heavy_bytes: int = 0
    task_memory_mb: int = 0
    engine: Engine = "auto"

    def is_heavy(self, kind: str, size: int) -> bool:
        """Return whether an object goes to Fargate; parquet is cut into slices, which fit a function."""
        if not self.task_memory_mb or self.engine == "lambda":
            return False
        return self.engine == "batch" or (kind == "ndjson.gz" and size * DECODED_RATIO > self.heavy_bytes)


def rows_of(sizes: dict[str, int], planning: Planning) -> int:
    """Estimate rows.

    Args:
        sizes: Bytes by raw format.
        planning: What was learned about rows in a byte.
    """
    learned = {"ndjson.gz": planning.measured, "parquet": planning.sampled}
    return sum(round(size * _rows_per_byte(learned[kind], kind)) for kind, size in sizes.items())


def wave(number: int, light: Sequence[int], heavy: Sequence[int], rows: int, capacity: Capacity) -> Wave:
    """Return a wave of objects with so many rows together.

    Args:
        number: Of the wave.
        light: Bytes of the objects for functions.
        heavy: Bytes of the objects for Fargate.
        rows: Of all of them.
        capacity: What units run on.
    """
    objects, size = len(light) + len(heavy), sum(light) + sum(heavy)
    # Small objects share a unit, as `planning.pack` does it; none is divided here, which large parquet objects are.
    calls = math.ceil(sum(light) * DECODED_RATIO / capacity.unit_bytes) if light else 0
    tasks = math.ceil(sum(heavy) * DECODED_RATIO / TASK_BYTES) if heavy else 0
    per_byte = rows / size / ROWS_PER_SECOND + 1 / BYTES_PER_SECOND if size else 0
    in_functions = sum(light) * per_byte + calls * UNIT_SECONDS
    in_tasks = sum(heavy) * per_byte + tasks * TASK_SECONDS
    task_gb = capacity.task_memory_mb / 1024
    usage = prices.Usage(
        architecture=capacity.architecture,
        lambda_gb_seconds=FUNCTION_GB * in_functions,
        lambda_requests=calls + _CALLS,
        fargate_vcpu_seconds=task_gb / TASK_GB_PER_VCPU * in_tasks,
        fargate_gb_seconds=task_gb * in_tasks,
        state_transitions=_TRANSITIONS + TRANSITIONS_PER_UNIT * (calls + tasks),
        s3_puts=_PUTS * objects,
        s3_gets=_GETS * objects,
        dynamodb_writes=_WRITES * objects,
    )
    return Wave(
        wave=number,
        objects=objects,
        bytes=size,
        rows=rows,
        units={engine: units for engine, units in (("lambda", calls), ("batch", tasks)) if units},
        seconds=round(in_functions + in_tasks, 3),
        usd=prices.estimate(usage),
    )


def total(planning: Planning, capacity: Capacity) -> Estimate:
    """Add up the waves of a plan, which run one after the other."""
    waves = planning.waves
    by_component = _add(wave.usd for wave in waves)
    return Estimate(
        objects=sum(wave.objects for wave in waves),
        bytes=sum(wave.bytes for wave in waves),
        rows=sum(wave.rows for wave in waves),
        rows_from=_rows_from(planning),
        units={engine: round(units) for engine, units in _add(wave.units for wave in waves).items()},
        seconds=round(sum(_wall(wave, capacity) for wave in waves), 1),
        usd=sum(by_component.values()),
        usd_by_component=by_component,
    )


def _wall(wave: Wave, capacity: Capacity) -> float:
    at_once = max(1, min(capacity.concurrency, sum(wave.units.values())))
    return RUN_SECONDS + OBJECT_SECONDS * wave.objects + wave.seconds / at_once


def _rows_per_byte(learned: Density, kind: str) -> float:
    return learned.rows / learned.bytes if learned.bytes else DEFAULT_ROWS_PER_BYTE[kind]


def _rows_from(planning: Planning) -> str:
    known = []
    if planning.sampled.bytes:
        known.append(f"footers of parquet objects with {planning.sampled.rows:,} rows")
    if planning.measured.bytes:
        known.append(f"committed objects with {planning.measured.rows:,} rows")
    return " and ".join(known) or "usual rows in a byte; nothing of the feed itself is known yet"


def _add(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    added: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            added[name] = added.get(name, 0.0) + value
    return added
