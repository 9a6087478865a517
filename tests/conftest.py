"""What holds for every test: polars and pyarrow never share a process.

Importing both in one process aborts now and then, for a cause nobody knows. So tests run twice (see `run.py`): with
`-m pyarrow`, where polars cannot be imported, and with `-m "not pyarrow"`, where pyarrow cannot. A test file belongs to
one of the runs as a whole, since importing it is enough: it says `pytestmark = pytest.mark.pyarrow`.
"""

import gc
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import botocore_models, moto_caches
from tests.support.effort import examples
from tests.support.import_guard import forbid, forbid_both
from tests.support.scheduling import ApplicationScheduling

# Powertools reads its variables when it is first imported, which may be when any test is collected.
os.environ.update(
    {
        "POWERTOOLS_TRACE_DISABLED": "1",
        "POWERTOOLS_SERVICE_NAME": "firewall_logs",
        "POWERTOOLS_METRICS_NAMESPACE": "Gatehouse",
    }
)
_PYARROW_FILE = re.compile(r"^pytestmark\b.*\bmark\.pyarrow\b", re.MULTILINE)


def pytest_configure(config: pytest.Config) -> None:
    """Forbid the library of the other run; without `-m`, whichever comes second."""
    botocore_models.parse_once()
    moto_caches.share()
    settings.register_profile("gatehouse", max_examples=examples(100))
    settings.load_profile("gatehouse")
    expression = config.option.markexpr
    if expression == "pyarrow":
        forbid("polars")
    elif expression == "not pyarrow":
        forbid("pyarrow")
    else:
        forbid_both()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of the other run."""
    expression = config.option.markexpr
    if expression not in {"pyarrow", "not pyarrow"} or not collection_path.name.startswith("test_"):
        return None
    is_pyarrow = _PYARROW_FILE.search(collection_path.read_text()) is not None
    return True if is_pyarrow != (expression == "pyarrow") else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ApplicationScheduling | None:
    """Keep together what shares the deployed application."""
    return ApplicationScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Never look for garbage again in what is imported and collected by now: it stays, and it is much."""
    gc.collect()
    gc.freeze()
    # Each request to moto makes thousands of objects: as it is shipped, the search begins again some times for each.
    gc.set_threshold(50_000, 20, 50)
