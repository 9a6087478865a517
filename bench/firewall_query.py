"""Selective questions of analysts, put to the raw object and to the sealed lake, in DuckDB and in Polars.

Every answer is given by a process of its own, held to one core and one thread; rounds are interleaved and medians
taken. What counts is CPU seconds and bytes read. Raw and lake must give the same answers in both engines. The last line
on stdout is one JSON object.
"""

# ruff: noqa: S603 - what is run are this folder's scripts, by the two environments' interpreters

import argparse
import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from raw_file import FOLDER, ROOT, path_of

HERE = Path(__file__).parent
RESULT = HERE / "results" / "firewall_query.json"
BENCH_PYTHON = ROOT / ".venvs" / "bench" / "bin" / "python"
# the lake is made by the application itself, which needs pydantic
DEV_PYTHON = ROOT / ".venv" / "bin" / "python"
QUESTIONS = ("host_hour", "address_day", "rule", "ray_id", "top_hosts", "path_pattern")
ENGINES = ("duckdb", "polars")
SIDES = ("raw", "hasty", "lake")
# what the average file of an archive of 277 with two billion rows has
DEFAULT_ROWS = 7_200_000
DEFAULT_ROUNDS = 3
TIMEOUT_SECONDS = 300

Key = tuple[str, str, str]


def main() -> int:
    """Make the lake, ask everything in turn, compare, print and save."""
    options = _options()
    raw = _raw_file(options.rows)
    lake, compacted = _lake(raw)
    runs: dict[Key, list[dict[str, Any]]] = {}
    for number in range(1, options.rounds + 1):
        for question, engine, side in product(QUESTIONS, ENGINES, SIDES):
            runs.setdefault((question, engine, side), []).append(_ask(question, engine, side, raw, lake))
        _say(f"round {number} of {options.rounds}")
    result = _result(raw, lake, compacted, runs)
    line = json.dumps(result)
    if (options.rows, options.rounds) == (DEFAULT_ROWS, DEFAULT_ROUNDS):
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(line)
    return 0 if result["answers_equal"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="events in the raw file (default: 7,200,000)")
    parser.add_argument(
        "--rounds", type=int, default=DEFAULT_ROUNDS, help="medians are taken over so many (default: 3)"
    )
    return parser.parse_args()


def _raw_file(rows: int) -> Path:
    path = path_of(rows)
    if not path.exists():
        _say(f"making {path.relative_to(ROOT)}")
        subprocess.run([BENCH_PYTHON, HERE / "raw_file.py", str(rows)], check=True)
    return path


def _lake(raw: Path) -> tuple[Path, dict[str, Any]]:
    """Make the lake and return it, and what compacting took."""
    out = FOLDER / "lake"
    shutil.rmtree(out, ignore_errors=True)
    _say(f"transforming and compacting {raw.relative_to(ROOT)}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions"), "POLARS_MAX_THREADS": "1"}
    printed = subprocess.check_output([DEV_PYTHON, HERE / "query_lake.py", raw, out], env=environment, text=True)
    return out, json.loads(printed.splitlines()[-1])


def _ask(question: str, engine: str, side: str, raw: Path, lake: Path) -> dict[str, Any]:
    core = max(os.sched_getaffinity(0))
    # FORCE_ASYNC: as Polars reads objects, in ranges, so that the kernel can count them.
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "POLARS_FORCE_ASYNC": "1"}
    done = subprocess.run(
        [BENCH_PYTHON, HERE / "peers" / f"query_{engine}.py", side, question, raw, lake],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    run: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return run


def _result(raw: Path, lake: Path, compacted: dict[str, Any], runs: dict[Key, list[dict[str, Any]]]) -> dict[str, Any]:
    questions = {question: _question(question, runs) for question in QUESTIONS}
    return {
        "rows": json.loads(raw.with_suffix(".json").read_text())["rows_in"],
        "rounds": min(map(len, runs.values())),
        **{
            f"{engine}_{what}_ratio": round(
                median(questions[question][engine][f"{what}_ratio"] for question in QUESTIONS), 2
            )
            for engine, what in product(ENGINES, ("cpu", "bytes", "hasty_cpu", "hasty_bytes"))
        },
        "answers_equal": all(question["equal"] for question in questions.values()),
        "raw_mb": round(raw.stat().st_size / 1e6, 2),
        "lake_mb": _megabytes(lake, "events"),
        "lookups_mb": round(sum(_megabytes(lake, kind) for kind in ("hourly", "rays", "addresses")), 2),
        "compacted_rows_per_cpu_second": round(compacted["rows"] / compacted["cpu_s"]),
        "questions": questions,
    }


def _megabytes(lake: Path, kind: str) -> float:
    return round(sum(path.stat().st_size for path in (lake / "sealed" / kind).rglob("*.parquet")) / 1e6, 2)


def _question(question: str, runs: dict[Key, list[dict[str, Any]]]) -> dict[str, Any]:
    expected = runs[question, ENGINES[0], "lake"][0]["answer"]
    careful = [run for engine, side in product(ENGINES, ("raw", "lake")) for run in runs[question, engine, side]]
    equal = bool(expected) and all(run["answer"] == expected for run in careful)
    if not equal:
        _say(f"{question}: raw and lake do not give the same answer")
    hasty = [run for engine in ENGINES for run in runs[question, engine, "hasty"]]
    found: dict[str, Any] = {
        "rows": len(expected),
        "equal": equal,
        "hasty_equal": all(run["answer"] == expected for run in hasty),
    }
    for engine in ENGINES:
        cpu = {side: median(run["cpu_s"] for run in runs[question, engine, side]) for side in SIDES}
        read = {side: median(run["bytes"] for run in runs[question, engine, side]) for side in SIDES}
        found[engine] = {
            "cpu_ratio": round(cpu["raw"] / cpu["lake"], 2),
            "bytes_ratio": round(read["raw"] / read["lake"], 2),
            "hasty_cpu_ratio": round(cpu["hasty"] / cpu["lake"], 2),
            "hasty_bytes_ratio": round(read["hasty"] / read["lake"], 2),
            "cpu_s": cpu,
            "bytes": read,
        }
        _say(
            f"{question:<13}{engine:<8}{cpu['raw']:8.3f} CPU s raw {cpu['lake']:8.3f} lake "
            f"{found[engine]['cpu_ratio']:8.2f} x   {read['raw'] / 1e6:8.2f} MB raw {read['lake'] / 1e6:8.2f} lake "
            f"{found[engine]['bytes_ratio']:8.2f} x"
        )
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
