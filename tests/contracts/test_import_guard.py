"""polars and pyarrow never share a process: see `tests/conftest.py`."""

import subprocess
import sys

import pytest

from local.paths import ROOT

CODE = """
from tests.support.import_guard import forbid, forbid_both
{guard}
{imports}
"""


@pytest.mark.parametrize(
    ("guard", "imports"),
    [
        ("forbid('pyarrow')", "import pyarrow"),
        ("forbid('polars')", "import polars"),
        ("forbid_both()", "import polars, pyarrow"),
        ("forbid_both()", "import pyarrow.parquet, polars"),
    ],
)
def test_the_second_library_is_refused(guard: str, imports: str) -> None:
    outcome = _run(guard, imports)

    assert outcome.returncode == 1
    assert "TwoLibrariesOneProcess" in outcome.stderr


@pytest.mark.parametrize(
    ("guard", "imports"),
    [
        ("forbid('pyarrow')", "import polars"),
        ("forbid('polars')", "import pyarrow"),
        ("forbid_both()", "import polars"),
    ],
)
def test_one_library_alone_is_imported(guard: str, imports: str) -> None:
    outcome = _run(guard, imports)

    assert outcome.returncode == 0, outcome.stderr


def _run(guard: str, imports: str) -> subprocess.CompletedProcess[str]:
    code = CODE.format(guard=guard, imports=imports)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
