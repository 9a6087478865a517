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
# By layer: what the base layer has, which stands beside it, and what only pyiceberg's command line and rich's Markdown
# ask for. With them its function would not fit Lambda.
_LEFT_OUT = {
    "iceberg": (
        *("annotated-types", "pydantic", "pydantic-core", "python-dateutil", "six", "typing-extensions"),
        *("typing-inspection", "urllib3"),
        *("click", "markdown-it-py", "mdurl", "pygments"),
    )
}


def main(options: list[str]) -> int:
    """Write all lock files and return the exit code."""
    for path in lock_files(ROOT):
        print(f"resolving {path.relative_to(ROOT)}", flush=True)
        source = path.with_suffix(".in").relative_to(ROOT)
        left_out = [f"--no-emit-package={name}" for name in _LEFT_OUT.get(path.parent.name, ())]
        command = [
            UV,
            "pip",
            "compile",
            *_OPTIONS,
            *left_out,
            *options,
            "--output-file",
            path.relative_to(ROOT),
            source,
        ]
        code = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode  # noqa: S603 - our uv
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
