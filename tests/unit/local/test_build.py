import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local import build, sam
from local.errors import BuildFailed

Change = Callable[[Path], object]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Return where was built, by a stand-in of SAM CLI that copies the sources."""
    folders: list[Path] = []

    def call(_: str, *arguments: str | Path, **__: object) -> tuple[int, str]:
        given = dict(zip(arguments[::2], arguments[1::2], strict=False))
        template, folder = Path(given["--template-file"]), Path(given["--build-dir"])
        shutil.copytree(template.parent, folder, ignore=shutil.ignore_patterns("builds"))
        folders.append(folder)
        return 0, ""

    monkeypatch.setattr(sam, "call", call)
    monkeypatch.setattr(build, "_BUILDS", tmp_path / "builds")
    return folders


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return an application that has its function in a nested one."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "code/package").mkdir(parents=True)
    (tmp_path / "code/package/handler.py").write_text("def handler(): ...")
    nested = {"Answer": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "../code"}}}
    (tmp_path / "stacks/nested.yaml").write_text(json.dumps({"Resources": nested}))
    root = {"Nested": {"Type": "AWS::Serverless::Application", "Properties": {"Location": "stacks/nested.yaml"}}}
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps({"Resources": root}))
    return path


def _change(file: str) -> Change:
    return lambda folder: (folder / file).write_text((folder / file).read_text() + "\n")


def _compile(folder: Path) -> None:
    (folder / "code/package/__pycache__").mkdir()
    (folder / "code/package/__pycache__/handler.pyc").write_bytes(b"")


def test_same_sources_are_built_once(built: list[Path], template: Path) -> None:
    first = build.build_for_cloud(template, {"Environment": "local"})
    _compile(template.parent)
    assert build.build_for_cloud(template, {"Environment": "local"}) == first
    assert first.exists()
    assert len(built) == 1


@pytest.mark.parametrize(
    "change",
    [
        _change("template.yaml"),
        _change("stacks/nested.yaml"),
        _change("code/package/handler.py"),
        lambda folder: (folder / "code/package/handler.py").rename(folder / "code/package/other.py"),
        lambda folder: (folder / "code/new.py").touch(),
    ],
    ids=["template", "nested template", "code", "name of a file", "another file"],
)
def test_sources_that_changed_are_built_again(built: list[Path], template: Path, change: Change) -> None:
    first = build.build_for_cloud(template, {})
    change(template.parent)
    assert build.build_for_cloud(template, {}) != first
    assert len(built) == 2


def test_other_parameters_are_another_build(built: list[Path], template: Path) -> None:
    assert build.build_for_cloud(template, {"A": "1"}) != build.build_for_cloud(template, {"A": "2"})
    assert len(built) == 2


def test_build_that_failed_is_tried_again(built: list[Path], template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sam, "call", lambda *_, **__: (1, "it is broken"))
        with pytest.raises(BuildFailed, match="it is broken"):
            build.build_for_cloud(template, {})
    assert build.build_for_cloud(template, {}).exists()
    assert len(built) == 1
