"""What the pipeline adds to the work itself: end to end through the embedded cloud, at 1, 2, 4 and 8 units at once.

The peer is the bare transform of the same objects in one process without any AWS around it, run in turn with the
pipeline. Two workloads: large units, for rows per second, and tiny ones, whose time is nothing but overhead (plan,
state machine, function call, S3, DynamoDB, receipt). The emulator stands for AWS here, so seconds are its seconds;
what holds elsewhere is how they grow with concurrency. The last line on stdout is one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from bench import raw_file  # noqa: E402 - the path is set just above
from local.deploy import deploy  # noqa: E402
from local.supervisor import EmbeddedCloud  # noqa: E402

CONCURRENCY = (1, 2, 4, 8)
MACHINE = "gatehouse-local-process_objects"
PLAN_RUN = "gatehouse-local-firewall-logs-plan-run"


class Bench:
    """The deployed application and the objects it is measured on."""

    def __init__(self, cloud: EmbeddedCloud, outputs: Any) -> None:
        self._outputs = outputs
        self._s3, self._states = cloud.client("s3"), cloud.client("stepfunctions")
        self._events, self._functions = cloud.client("events"), cloud.client("lambda")
        self._definition = self._states.describe_state_machine(stateMachineArn=self._arn)["definition"]

    @property
    def _arn(self) -> str:
        return str(self._outputs["ProcessObjectsArn"])

    def prepare(self) -> None:
        """Let objects start nothing by themselves, and make every object a unit of its own."""
        for rule in self._events.list_rules()["Rules"]:
            if rule.get("Description") == "New raw objects":
                self._events.disable_rule(Name=rule["Name"])
        variables = self._functions.get_function_configuration(FunctionName=PLAN_RUN)["Environment"]["Variables"]
        self._functions.update_function_configuration(
            FunctionName=PLAN_RUN, Environment={"Variables": {**variables, "UNIT_MB": "1"}}
        )

    def measure(self, files: list[Path], concurrency: int) -> dict[str, float]:
        """Run the machine over new copies of the files and return rows, seconds and seconds spent in slices."""
        refs = [self._put(path) for path in files]
        definition = self._definition.replace('"{% 8 %}"', f'"{{% {concurrency} %}}"')
        self._states.update_state_machine(stateMachineArn=self._arn, definition=definition)
        start = time.perf_counter()
        name = f"bench-{uuid.uuid4().hex}"
        arn = self._states.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps({"objects": refs}))[
            "executionArn"
        ]
        while (found := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        if found["status"] != "SUCCEEDED":
            raise SystemExit(f"The run {name} ended {found['status']}: {found.get('error')} {found.get('cause')}")
        summary = self._summary(name)
        return {
            "rows": summary["account"]["rows_in"],
            "seconds": seconds,
            "map_seconds": summary["processing_seconds"],
            "units": summary["units"],
        }

    def _put(self, path: Path) -> dict[str, str]:
        key = f"cloudflare/47/bench/{uuid.uuid4().hex}.parquet"
        bucket = self._outputs["RawBucketName"]
        version = self._s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())["VersionId"]
        return {"bucket": bucket, "key": key, "version_id": version}

    def _summary(self, run_id: str) -> Any:
        key = f"firewall_logs/runs/{run_id}/summary.json"
        return json.load(self._s3.get_object(Bucket=self._outputs["RunsBucketName"], Key=key)["Body"])


def bare(files: list[Path]) -> float:
    """Return the seconds that the transform of these files takes in one process."""
    done = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, "--bare", *map(str, files)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"},
    )
    return float(done.stdout)


def run_bare(files: list[Path]) -> None:
    """Transform the files and print the seconds it took."""
    import tempfile  # noqa: PLC0415 - only the child needs these
    from datetime import UTC, datetime  # noqa: PLC0415

    from firewall_logs.contracts import Slice, SourceObject  # noqa: PLC0415
    from firewall_logs.transform import transform  # noqa: PLC0415

    seconds = 0.0
    for path in files:
        source = SourceObject(
            bucket="raw", key=path.name, etag="e", size=path.stat().st_size, last_modified=datetime.now(UTC)
        )
        task = Slice(
            object_id="0" * 32,
            epoch=1,
            index=0,
            slices=1,
            feed="47",
            zone="z",
            format="parquet",
            naive_times="refuse",
            source=source,
        )
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            transform(task, path, Path(out))
            seconds += time.perf_counter() - start
    print(seconds)


def say(line: str) -> None:
    """Tell the reader; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)


def objects(rows: int, count: int) -> list[Path]:
    """Return a raw file of so many rows, as often as asked; the pipeline knows copies by their key."""
    path = raw_file.path_of(rows)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(ROOT / "bench/raw_file.py"), str(rows)], check=True)  # noqa: S603
    return [path] * count


def main() -> None:
    """Measure, report, and keep the result."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000, help="of a large unit")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--bare", nargs="+", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.bare:
        run_bare(given.bare)
        return
    large, tiny = objects(given.rows, 8), objects(2000, 64)
    cloud = EmbeddedCloud.start(f"bench-{uuid.uuid4().hex[:8]}")
    try:
        deployment = deploy(cloud, parameters={"FirewallLogsMaxConcurrency": "8"}, on_progress=say)
        print(json.dumps(_measure(Bench(cloud, deployment.outputs), large, tiny, given.rounds)))
    finally:
        cloud.stop()


def _measure(bench: Bench, large: list[Path], tiny: list[Path], rounds: int) -> dict[str, Any]:
    bench.prepare()
    bench.measure(tiny[:8], 8)  # warms the functions
    rates: dict[int, list[float]] = {n: [] for n in CONCURRENCY}
    overheads: dict[int, list[float]] = {n: [] for n in CONCURRENCY}
    bares = []
    rows = 0.0
    for number in range(rounds):
        bares.append(bare(large))
        for concurrency in CONCURRENCY:
            found = bench.measure(large, concurrency)
            rows = found["rows"]
            rates[concurrency].append(rows / found["seconds"])
            idle = bench.measure(tiny, concurrency)
            overheads[concurrency].append(1000 * idle["seconds"] / idle["units"])
            say(
                f"round {number + 1}/{rounds}, {concurrency} at once: {rates[concurrency][-1]:,.0f} rows/s, "
                f"{overheads[concurrency][-1]:.1f} ms a tiny unit"
            )
    bare_rate = rows / statistics.median(bares)
    result = {
        "rows": int(rows),
        "rounds": rounds,
        "bare_rows_per_second": round(bare_rate),
        "rows_per_second": {str(n): round(statistics.median(rates[n])) for n in CONCURRENCY},
        "of_bare": {str(n): round(statistics.median(rates[n]) / bare_rate, 3) for n in CONCURRENCY},
        "overhead_ms_per_unit": {str(n): round(statistics.median(overheads[n]), 1) for n in CONCURRENCY},
    }
    folder = ROOT / "bench/results"
    folder.mkdir(exist_ok=True)
    (folder / "firewall_pipeline.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


if __name__ == "__main__":
    main()
