"""CompactUnit is killed after each of its effects, then called again: sealed files and proofs end byte for byte alike.

The inputs are what a run left in the lake.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from firewall_logs.contracts import LakeFile
from firewall_logs.days.contracts import CompactionUnit, Cut
from firewall_logs.days.identity import inputs_id
from firewall_logs.locations import seal_key
from tests.support import raw
from tests.support.aws import LAKE, RUNS
from tests.support.firewall_compaction import cuts_at, planned_input
from tests.support.firewall_days import DAY
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.seal import SEALED_KINDS

pytestmark = pytest.mark.cloud

CUT_ROWS = 30
OBJECTS = 4
# Of a cut: its files, and the receipt.
EFFECTS = len(SEALED_KINDS) + 1


@dataclass(frozen=True)
class Plan:
    """What a seal plans.

    Attributes:
        inputs: Its document.
    """

    inputs_id: str
    inputs: bytes
    cuts: list[Cut]

    @classmethod
    def of(cls, pipeline: Pipeline, files: list[LakeFile], cuts: list[Cut], folder: Path) -> "Plan":
        """Plan to compact files of events."""
        lines = []
        for number, file in enumerate(files):
            path = folder / f"{number}.parquet"
            path.write_bytes(pipeline.s3.get_object(Bucket=LAKE, Key=file.key)["Body"].read())
            lines.append(planned_input(path, file.key).model_dump_json())
        return cls(inputs_id(DAY, files, cuts), "\n".join(lines).encode(), cuts)


@pytest.fixture(scope="module")
def inputs(pipeline: Pipeline) -> dict[str, list[LakeFile]]:
    """Process objects that share events, and return the day's files by kind."""
    refs = [
        pipeline.put_lines(
            f"cloudflare/2.ford/{number}.log.gz", [raw.an_event(n) for n in range(40 * number, 40 * number + 60)]
        )
        for number in range(OBJECTS)
    ]
    pipeline.run("inputs", refs)
    manifests = [json.loads(body) for key, body in sorted(pipeline.lake().items()) if "/manifests/" in key]
    files = [LakeFile.model_validate(file) for manifest in manifests for file in manifest["files"]]
    return {kind: [f for f in files if f.kind == kind and f.event_date == DAY] for kind in ("events", "hourly")}


@pytest.fixture(scope="module")
def plan(pipeline: Pipeline, inputs: dict[str, list[LakeFile]], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    made = cuts_at(_histogram(pipeline, inputs["hourly"]), CUT_ROWS)
    assert len(made) > 2
    return Plan.of(pipeline, inputs["events"], made, tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, plan: Plan) -> tuple[Any, ...]:
    _forget_seals(pipeline)
    for event in _units(pipeline, plan, "untouched"):
        result = pipeline.call("compact_unit", event)
        assert pipeline.effects == EFFECTS
        assert result["rows_in"] == plan.cuts[event["index"]].rows
    return _outcome(pipeline, "untouched")


def test_cut_killed_between_any_two_effects_and_retried_ends_alike(
    pipeline: Pipeline, plan: Plan, expected: tuple[Any, ...]
) -> None:
    for done in range(EFFECTS + 1):
        _forget_seals(pipeline)
        for event in _units(pipeline, plan, f"retried-{done}"):
            with pytest.raises(StepFailed, match="Killed"):
                pipeline.call("compact_unit", event, done)
            pipeline.call("compact_unit", event)
        assert _outcome(pipeline, f"retried-{done}") == expected, done


def test_seal_given_up_between_any_two_effects_is_finished_by_the_next_with_the_same_inputs(
    pipeline: Pipeline, plan: Plan, expected: tuple[Any, ...]
) -> None:
    for done in range(EFFECTS + 1):
        _forget_seals(pipeline)
        with pytest.raises(StepFailed, match="Killed"):
            pipeline.call("compact_unit", next(_units(pipeline, plan, "given-up")), done)
        for event in _units(pipeline, plan, f"next-{done}"):
            pipeline.call("compact_unit", event)
        assert _outcome(pipeline, f"next-{done}") == expected, done


def test_two_workers_at_each_cut_leave_what_one_would(
    pipeline: Pipeline, plan: Plan, expected: tuple[Any, ...]
) -> None:
    _forget_seals(pipeline)
    with pipeline.another() as rival, ThreadPoolExecutor(1) as threads:
        for event in _units(pipeline, plan, "twice"):
            other = threads.submit(rival.call, "compact_unit", event)
            assert pipeline.call("compact_unit", event) == other.result()
    assert _outcome(pipeline, "twice") == expected


def test_throttled_and_failing_calls_change_nothing(pipeline: Pipeline, plan: Plan, expected: tuple[Any, ...]) -> None:
    _forget_seals(pipeline)
    pipeline.fault_rate = 0.2
    faults = 0
    for event in _units(pipeline, plan, "stormy"):
        pipeline.call("compact_unit", event)
        faults += pipeline.faults
    pipeline.fault_rate = 0
    assert faults > 5
    assert _outcome(pipeline, "stormy") == expected


def test_compacted_day_compacted_again_keeps_every_row(pipeline: Pipeline, plan: Plan, tmp_path: Path) -> None:
    """A second version is made of the first one's files; here without anything new."""
    _forget_seals(pipeline)
    first = [_proof(pipeline, event) for event in _units(pipeline, plan, "first")]
    by_kind = {
        kind: [LakeFile.model_validate(file) for proof in first for file in proof["files"] if file["kind"] == kind]
        for kind in ("events", "hourly")
    }
    made = cuts_at(_histogram(pipeline, by_kind["hourly"]), 2 * CUT_ROWS)
    again = Plan.of(pipeline, by_kind["events"], made, tmp_path)
    second = [_proof(pipeline, event) for event in _units(pipeline, again, "second")]
    assert sum(proof["duplicates"] for proof in first) > 10
    assert sum(proof["duplicates"] for proof in second) == 0
    days = [
        pl.concat(
            _frame(pipeline, file["key"]) for proof in proofs for file in proof["files"] if file["kind"] == "events"
        )
        for proofs in (first, second)
    ]
    assert days[0].equals(days[1])


def _units(pipeline: Pipeline, plan: Plan, seal_id: str) -> Any:
    """Put the inputs of a seal and yield the event of each of its units."""
    pipeline.s3.put_object(Bucket=RUNS, Key=seal_key(seal_id, "inputs.jsonl"), Body=plan.inputs)
    for index, cut in enumerate(plan.cuts):
        unit = CompactionUnit(seal_id=seal_id, event_date=DAY, index=index, inputs_id=plan.inputs_id, cut=cut)
        yield unit.model_dump(mode="json")


def _proof(pipeline: Pipeline, event: dict[str, Any]) -> dict[str, Any]:
    pipeline.call("compact_unit", event)
    return dict(_outcome(pipeline, event["seal_id"])[1][event["index"]])


def _outcome(pipeline: Pipeline, seal_id: str) -> tuple[Any, ...]:
    """Return the sealed files, and what the receipts of a seal prove."""
    receipts = pipeline.documents(f"firewall_logs/seals/{seal_id}/units/")
    sealed = {key: body for key, body in pipeline.lake().items() if "/sealed/" in key}
    return sealed, [receipt["proof"] for _, receipt in sorted(receipts.items())]


def _histogram(pipeline: Pipeline, hourly: Iterable[LakeFile]) -> Counter[tuple[str | None, int, int]]:
    total: Counter[tuple[str | None, int, int]] = Counter()
    for file in hourly:
        for host, hour, events in (
            _frame(pipeline, file.key).select("client_request_host", "event_hour", "events").iter_rows()
        ):
            total[host, hour, 0] += events
    return total


def _frame(pipeline: Pipeline, key: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(pipeline.s3.get_object(Bucket=LAKE, Key=key)["Body"].read()))


def _forget_seals(pipeline: Pipeline) -> None:
    for bucket, prefix in ((LAKE, "firewall_logs/sealed/"), (RUNS, "firewall_logs/seals/")):
        listed = pipeline.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        for found in listed:
            pipeline.s3.delete_object(Bucket=bucket, Key=found["Key"])
