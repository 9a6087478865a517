"""Versions that must move together."""

import re
from pathlib import Path

from firewall_logs.days.version import COMPACTION_VERSION
from firewall_logs.version import TRANSFORM_VERSION
from local.paths import ROOT
from tests.support.locks import lock_problems, pins


def test_the_transform_version_names_the_writer_and_the_list_of_the_lock() -> None:
    files = [ROOT / "layers" / layer / "requirements.txt" for layer in ("base", "polars")]
    locked = {pin.name: pin.version for file in files for pin in pins(file.read_text())}
    wanted = f"+polars-{locked['polars']}+psl-{locked['publicsuffixlist']}"

    assert re.fullmatch(rf"\d+{re.escape(wanted)}", TRANSFORM_VERSION), (
        f"the layers lock {wanted}, but TRANSFORM_VERSION is {TRANSFORM_VERSION}: another writer or list makes other "
        "bytes, so raise it in functions/firewall_logs/version.py"
    )


def test_the_compaction_version_names_the_writer_of_the_lock() -> None:
    locked = {pin.name: pin.version for pin in pins((ROOT / "layers/polars/requirements.txt").read_text())}

    assert re.fullmatch(rf"\d+{re.escape('+polars-' + locked['polars'])}", COMPACTION_VERSION), (
        f"the layer locks polars {locked['polars']}, but COMPACTION_VERSION is {COMPACTION_VERSION}: another writer "
        "makes other bytes, so raise it in functions/firewall_logs/days/version.py"
    )


def test_a_lock_out_of_step_is_reported(tmp_path: Path) -> None:
    layer = tmp_path / "layers/x"
    layer.mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/dev.txt").write_text(f"boto3==2.0 \\\n    --hash=sha256:{'0' * 64}\n")
    (layer / "requirements.in").write_text("-c ../../requirements/dev.txt\nboto3\nmissing[extra]\n")
    (layer / "requirements.txt").write_text("--index-url https://example.com\nboto3==1.0\n")

    problems = "\n".join(lock_problems(tmp_path))

    assert "has no hash for boto3" in problems
    assert "says where packages come from" in problems
    assert "does not lock 'missing[extra]'" in problems
    assert "locks boto3==1.0, which is another version" in problems
