"""The work of one unit against its peers: the same job in DuckDB and in pandas, and merely copying the file.

Every contender is a process of its own, held to one core and one thread; rounds are interleaved, so that a noisy
machine is noisy for all; what counts is CPU seconds. All must count what was planted, and the outputs of those that do
the job are compared with ours row for row. The last line on stdout is one JSON object.
"""

# ruff: noqa: S603 - what is run are this folder's scripts, by the two environments' interpreters

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from raw_file import FOLDER, ROOT, path_of

PEERS = Path(__file__).parent / "peers"
RESULT = Path(__file__).parent / "results" / "firewall_transform.json"
BENCH_PYTHON = ROOT / ".venvs" / "bench" / "bin" / "python"
# ours needs pydantic, which the peers' environment has no use for
DEV_PYTHON = ROOT / ".venv" / "bin" / "python"
COUNTS = ("rows_in", "rows_out", "quarantined", "duplicates")
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Contender:
    """A script in `peers/`.

    Attributes:
        does_the_job: Whether its counts and outputs must equal ours; the copy does not.
    """

    name: str
    python: Path
    does_the_job: bool = True

    @property
    def out(self) -> Path:
        """Where it writes."""
        return FOLDER / "out" / self.name


CONTENDERS = (
    Contender("ours", DEV_PYTHON),
    Contender("duckdb", BENCH_PYTHON),
    Contender("pandas_tuned", BENCH_PYTHON),
    Contender("pandas", BENCH_PYTHON),
    Contender("copy", BENCH_PYTHON, does_the_job=False),
)


def main() -> int:
    """Run the rounds, compare, print and save."""
    options = _options()
    chosen = [each for each in CONTENDERS if each.name in options.only]
    _same_versions("polars", "publicsuffixlist")
    raw = _raw_file(options.rows)
    planted = json.loads(raw.with_suffix(".json").read_text())
    runs: dict[str, list[dict[str, Any]]] = {each.name: [] for each in chosen}
    for number in range(1, options.rounds + 1):
        for each in chosen:
            run = _run(each, raw)
            runs[each.name].append(run)
            taken = f"{run['cpu_s']:8.2f} CPU s  {run['peak_rss_mb']:7.0f} MB  {run['output_mb']:6.1f} MB written"
            _say(f"round {number}  {each.name:<15}{taken}")
            if each.does_the_job and any(run[name] != planted[name] for name in COUNTS):
                found = {name: run[name] for name in COUNTS}
                raise SystemExit(f"{each.name} counted {found}, planted were {planted}")
    if any(run["sha256"] != runs["ours"][0]["sha256"] for run in runs.get("ours", [])):
        raise SystemExit("ours wrote other bytes in another round")
    equal = _compare(chosen)
    result = _result(planted["rows_in"], options.rounds, runs, equal=equal)
    line = json.dumps(result)
    if set(options.only) == {each.name for each in CONTENDERS}:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(line)
    return 0 if equal in (True, None) else 1


def _options() -> argparse.Namespace:
    names = [each.name for each in CONTENDERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_400_000, help="events in the raw file (default: 2,400,000)")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over so many (default: 3)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="contenders; the result is not saved")
    return parser.parse_args()


def _same_versions(*packages: str) -> None:
    """Refuse to compare two builds of what several contenders share."""
    code = f"from importlib.metadata import version; print([version(name) for name in {packages!r}])"
    found = {subprocess.check_output([python, "-c", code], text=True) for python in (DEV_PYTHON, BENCH_PYTHON)}
    if len(found) != 1:
        raise SystemExit(f".venv and .venvs/bench differ in {packages}: {found}; run `make setup`")


def _raw_file(rows: int) -> Path:
    path = path_of(rows)
    if not path.exists():
        _say(f"making {path.relative_to(ROOT)}")
        subprocess.run([BENCH_PYTHON, Path(__file__).parent / "raw_file.py", str(rows)], check=True)
    return path


def _run(contender: Contender, raw: Path) -> dict[str, Any]:
    shutil.rmtree(contender.out, ignore_errors=True)
    contender.out.mkdir(parents=True)
    core = max(os.sched_getaffinity(0))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "functions"),
        "POLARS_MAX_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_IO_THREADS": "1",
    }
    done = subprocess.run(
        [contender.python, PEERS / f"{contender.name}_peer.py", raw, contender.out],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _compare(chosen: list[Contender]) -> bool | None:
    """Compare every job's output with ours; None if there is nothing to compare."""
    ours = next((each for each in chosen if each.name == "ours"), None)
    others = [each for each in chosen if each.does_the_job and each is not ours]
    if ours is None or not others:
        return None
    equal = True
    for each in others:
        printed = subprocess.check_output([BENCH_PYTHON, PEERS / "compare.py", ours.out, each.out], text=True)
        differences = json.loads(printed)["differences"]
        _say(f"{each.name} against ours: {'equal' if not differences else '; '.join(differences[:5])}")
        equal = equal and not differences
    return equal


def _result(rows: int, rounds: int, runs: dict[str, list[dict[str, Any]]], *, equal: bool | None) -> dict[str, Any]:
    def cpu(name: str) -> float | None:
        return round(median(run["cpu_s"] for run in runs[name]), 2) if name in runs else None

    def ratio(above: str, below: str) -> float | None:
        numerator, denominator = cpu(above), cpu(below)
        return round(numerator / denominator, 2) if numerator and denominator else None

    def size(name: str) -> float | None:
        return runs[name][0]["output_mb"] if name in runs else None

    def peak(name: str) -> float | None:
        return max(run["peak_rss_mb"] for run in runs[name]) if name in runs else None

    ours = cpu("ours")
    return {
        "rows": rows,
        "rounds": rounds,
        "ours_cpu_s": ours,
        "duckdb_cpu_s": cpu("duckdb"),
        "pandas_tuned_cpu_s": cpu("pandas_tuned"),
        "pandas_cpu_s": cpu("pandas"),
        "copy_cpu_s": cpu("copy"),
        "vs_duckdb": ratio("duckdb", "ours"),
        "vs_pandas_tuned": ratio("pandas_tuned", "ours"),
        "vs_pandas": ratio("pandas", "ours"),
        "vs_copy": ratio("ours", "copy"),
        "rows_per_second_per_core": round(rows / ours) if ours else None,
        "peak_rss_mb": peak("ours"),
        "duckdb_peak_rss_mb": peak("duckdb"),
        "pandas_tuned_peak_rss_mb": peak("pandas_tuned"),
        "pandas_peak_rss_mb": peak("pandas"),
        "output_mb": size("ours"),
        "duckdb_output_mb": size("duckdb"),
        "pandas_tuned_output_mb": size("pandas_tuned"),
        "outputs_equal": equal,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
