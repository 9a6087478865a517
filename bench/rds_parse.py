"""Logs of databases to typed parquet with fingerprints, against pgbadger and pt-query-digest on the same files.

Every run is a process of its own on one core; rounds are interleaved; what counts is CPU seconds. The peers do what
they are for: a report of the file. Where one is not installed its keys are null. The last line on stdout is one JSON
object.
"""

# ruff: noqa: S603 - what is run are this folder's scripts and the peers

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

from rds_logs import FOLDER, KINDS, ROOT, path_of

RESULT: Final = Path(__file__).parent / "results" / "rds_parse.json"
_PYTHON: Final = ROOT / ".venv" / "bin" / "python"
_OURS: Final = (*KINDS, "fingerprints")
_PEERS: Final = {"pgbadger": "postgres", "pt-query-digest": "slow"}
_TIMEOUT_SECONDS: Final = 1800
# The file that is streamed to see what memory a large one takes is this one, over and over.
_STREAMED_MB: Final = 1000


def main() -> int:
    """Run the rounds, print and save."""
    options = _options()
    paths = {kind: path_of(kind, options.megabytes) for kind in KINDS}
    runs: dict[str, list[dict[str, Any]]] = {}
    for number in range(1, options.rounds + 1):
        for name in options.only:
            run = _peer(name, paths[_PEERS[name]]) if name in _PEERS else _ours(name, paths, 1)
            runs.setdefault(name, []).append(run)
            _say(f"round {number}  {name:<16}{run['mb_s'] or 0:8.2f} MB/s")
    streamed = None if options.no_stream else _ours("postgres", paths, -(-_STREAMED_MB // options.megabytes))
    result = _result(options, runs, streamed)
    if list(options.only) == [*_OURS, *_PEERS] and streamed:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


def _options() -> argparse.Namespace:
    names = [*_OURS, *_PEERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100, help="size of each log (default: 100)")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over so many (default: 3)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="contenders; the result is not saved")
    parser.add_argument("--no-stream", action="store_true", help="leave out the large file; the result is not saved")
    return parser.parse_args()


def _ours(kind: str, paths: dict[str, Path], times: int) -> dict[str, Any]:
    path, out = paths["slow" if kind == "fingerprints" else kind], FOLDER / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    script = Path(__file__).parent / "peers" / "rds_ours.py"
    done = subprocess.run(
        [_PYTHON, script, path, out, kind, str(times)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "functions"), "POLARS_MAX_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
        preexec_fn=_on_one_core,
    )
    run: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if run["unparsed"] or run["bytes"] != path.stat().st_size * times:
        raise SystemExit(f"{kind}: {run['unparsed']} records were not parsed, {run['bytes']} bytes were read")
    return {**run, "mb_s": run["bytes"] / 1e6 / run["cpu_s"]}


def _peer(name: str, path: Path) -> dict[str, Any]:
    program = shutil.which(name)
    if program is None:
        _say(f"{name} is not installed: its keys are null")
        return {"mb_s": None}
    report = FOLDER / "report"
    pgbadger = ("--quiet", "--jobs", "1", "--format", "stderr", "--prefix", "%t:%r:%u@%d:[%p]:")
    commands = {
        # a pid file anywhere else would be in the way of another user's
        "pgbadger": [program, *pgbadger, "--pid-dir", FOLDER, "--outfile", f"{report}.html", path],
        "pt-query-digest": [program, "--no-version-check", path],
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with report.open("wb") as file:
        subprocess.run(
            commands[name], stdout=file, cwd=FOLDER, timeout=_TIMEOUT_SECONDS, check=True, preexec_fn=_on_one_core
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"mb_s": path.stat().st_size / 1e6 / seconds}


def _on_one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _result(
    options: argparse.Namespace, runs: dict[str, list[dict[str, Any]]], streamed: dict[str, Any] | None
) -> dict[str, Any]:
    def speed(name: str, key: str = "mb_s", digits: int = 2) -> float | None:
        values = [run[key] for run in runs.get(name, []) if run[key] is not None]
        return round(median(values), digits) if values else None

    def ratio(ours: str, peer: str) -> float | None:
        above, below = speed(ours), speed(peer)
        return round(above / below, 1) if above and below else None

    of_ours = [run for name, found in runs.items() if name in _OURS for run in found]
    return {
        "megabytes": options.megabytes,
        "rounds": options.rounds,
        "postgres_mb_s": speed("postgres"),
        "pgbadger_mb_s": speed("pgbadger"),
        "vs_pgbadger": ratio("postgres", "pgbadger"),
        "csv_mb_s": speed("csv"),
        "slow_mb_s": speed("slow"),
        "pt_query_digest_mb_s": speed("pt-query-digest"),
        "vs_pt_query_digest": ratio("slow", "pt-query-digest"),
        "audit_mb_s": speed("audit"),
        "fingerprints_per_s": speed("fingerprints", "fingerprints_per_s", 0),
        "peak_rss_mb": max((run["peak_rss_mb"] for run in of_ours), default=None),
        "streamed_mb": round(streamed["bytes"] / 1e6) if streamed else None,
        "streamed_peak_rss_mb": streamed["peak_rss_mb"] if streamed else None,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
