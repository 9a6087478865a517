"""Logs of databases that others published, with what they parse to; see the SOURCES.md beside them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT

# Beside the repository, or wherever RDS_SAMPLES says.
_SAMPLES = Path(os.environ.get("RDS_SAMPLES", ROOT.parent / "shared/data/rds-logs"))


def sample(path: str) -> Path:
    """Return a sample's path; skip the test where the samples are not there."""
    if not _SAMPLES.exists():
        pytest.skip("the published logs are not beside the repository")
    return _SAMPLES / path


def expected(path: str) -> Any:
    """Return what a JSON file of expectations holds."""
    return json.loads(sample(path).read_text())
