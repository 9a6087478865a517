"""Makes the benchmark's raw file, once for each set of parameters and each state of the generator."""

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".local" / "bench"
SEED = 47


def path_of(rows: int) -> Path:
    """Return where the file for so many rows is or will be; its counts are beside it."""
    sources = sorted((ROOT / "demo").glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]
    return FOLDER / f"firewall-{rows}-{SEED}-{digest}.parquet"


def main() -> None:
    """Write the file for the number of rows on the command line."""
    sys.path.insert(0, str(ROOT))
    from demo.plant_bench import generate_bench_file  # noqa: PLC0415 - the path is set just above

    path = path_of(int(sys.argv[1]))
    unfinished = path.with_suffix(".unfinished")
    counts = generate_bench_file(unfinished, rows=int(sys.argv[1]), seed=SEED)
    path.with_suffix(".json").write_text(json.dumps(counts.as_json()))
    unfinished.replace(path)


if __name__ == "__main__":
    main()
