"""What `gatehouse up` ends with: how much is not as on AWS, where all of it is listed, and what to do next."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import local.deploy
import local.paths
from cli.main import app
from local.deploy import Deployment, SkippedResource
from local.settings_after_deploy import AppliedSetting
from local.supervisor import EmbeddedCloud

SKIPPED = tuple(SkippedResource(f"App/Archive{number}", "AWS::Events::Archive", "why") for number in range(97))
APPLIED = (AppliedSetting("Storage/Lake", "LifecycleConfiguration", {}),)


@pytest.mark.parametrize(("name", "of_it"), [("dev", ""), ("mine", " --cloud mine")])
def test_what_is_skipped_is_counted_and_listed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, of_it: str
) -> None:
    state = SimpleNamespace(port=4566, region="eu-central-1", name=name)
    running: Any = SimpleNamespace(state=state, endpoint="http://127.0.0.1:4566", reset=lambda: None)
    made = Deployment("gatehouse", "000000000000", tmp_path, {}, SKIPPED, APPLIED, {"sam deploy": 20.0})
    monkeypatch.setattr(local.paths, "STATE", tmp_path)
    monkeypatch.setattr(EmbeddedCloud, "find", lambda _: running)
    monkeypatch.setattr(local.deploy, "deploy", lambda *_, **__: made)
    (tmp_path / name).mkdir()

    ended = CliRunner().invoke(app, ["up", "--cloud", name], env={"COLUMNS": "200"})

    assert ended.exit_code == 0, ended.output
    _, counted, deployed, now, docs = ended.output.splitlines()
    assert (
        counted
        == f"97 resources skipped locally, 1 setting applied after deploy: .local/{name}/deployment.log lists them"
    )
    assert deployed.startswith("✓ deployed in 20 s: http://127.0.0.1:4566")
    assert f"gatehouse status{of_it} says what is there" in now
    for page in (word for word in docs.split() if word.startswith("docs/")):
        assert (local.paths.ROOT / page.strip(",")).is_file()
    listed = (tmp_path / name / "deployment.log").read_text().splitlines()
    assert len(listed) == len(SKIPPED) + len(APPLIED)
    assert listed[0] == "skipped locally: App/Archive0 (AWS::Events::Archive): why"
