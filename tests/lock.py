"""Resolve every `.in` file again: `python -m tests.lock` (which is `make lock`).

Versions that still fit stay; `--upgrade` and other options go to uv as they are.
"""

import subprocess
import sys

from local.paths import ROOT, UV
from tests.support.locks import lock_files

# Nothing about where packages came from: a lock file must hold on any machine.
_OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--python-version=3.11",
    "--universal",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
)


def main(options: list[str]) -> int:
    """Write all lock files and return the exit code."""
    for path in lock_files(ROOT):
        print(f"resolving {path.relative_to(ROOT)}", flush=True)
        source = path.with_suffix(".in").relative_to(ROOT)
        command = [UV, "pip", "compile", *_OPTIONS, *options, "--output-file", path.relative_to(ROOT), source]
        code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode  # noqa: S603 - our uv
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
