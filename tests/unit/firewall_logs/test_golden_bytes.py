"""A file's bytes are part of its identity: whoever changes them raises TRANSFORM_VERSION, and the digest here."""

import hashlib
from pathlib import Path

from firewall_logs.transform import transform
from firewall_logs.version import TRANSFORM_VERSION
from tests.support import raw
from tests.support.firewall import a_slice

GOLDEN = ("4+polars-2.1.0+psl-1.1.2.20261023", "daba731fa55c3960d29ef4af255e07a18a64d3b2714d5c6f9d08e4ffc1f3a292")


def test_bytes_of_a_small_file_are_those_of_the_version(tmp_path: Path) -> None:
    path, out = tmp_path / "raw", tmp_path / "out"
    out.mkdir()
    path.write_bytes(raw.ndjson([*(raw.an_event(n) for n in range(100)), raw.an_event(7), {"Datetime": "x"}]))
    outcome = transform(a_slice(format="ndjson.gz"), path, out)
    digests = [hashlib.sha256(file.path.read_bytes()).hexdigest() for file in outcome.files]
    found = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert (TRANSFORM_VERSION, found) == GOLDEN, "other bytes need another TRANSFORM_VERSION: see version.py"
