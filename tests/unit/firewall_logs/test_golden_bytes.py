"""A file's bytes are part of its identity: whoever changes them raises TRANSFORM_VERSION, and the digest here."""

import hashlib
from pathlib import Path

from firewall_logs.transform import transform
from firewall_logs.version import TRANSFORM_VERSION
from tests.support import raw
from tests.support.firewall import a_slice

GOLDEN = ("3+polars-2.1.0+psl-1.1.2.20261023", "56137e651a495b3798b8385ed054488e0703c7fb55a00f773f2611b7f2443254")


def test_bytes_of_a_small_file_are_those_of_the_version(tmp_path: Path) -> None:
    path, out = tmp_path / "raw", tmp_path / "out"
    out.mkdir()
    path.write_bytes(raw.ndjson([*(raw.an_event(n) for n in range(100)), raw.an_event(7), {"Datetime": "x"}]))
    outcome = transform(a_slice(format="ndjson.gz"), path, out)
    digests = [hashlib.sha256(file.path.read_bytes()).hexdigest() for file in outcome.files]
    found = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert (TRANSFORM_VERSION, found) == GOLDEN, "other bytes need another TRANSFORM_VERSION: see version.py"
