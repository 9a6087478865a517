import json
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from local import build, sam
from local.errors import BuildFailed

Change = Callable[[Path], object]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Return where was built, by a stand-in of SAM CLI that copies the templates, and the code for every function."""
    folders: list[Path] = []

    def call(_: str, *arguments: str | Path, **__: object) -> tuple[int, str]:
        given = dict(zip(arguments[::2], arguments[1::2], strict=False))
        template, folder = Path(given["--template-file"]), Path(given["--build-dir"])
        shutil.copytree(template.parent / "stacks", folder / "stacks")
        shutil.copy(template, folder)
        nested = json.loads((folder / "stacks/nested.yaml").read_text())
        for name, function in nested["Resources"].items():
            shutil.copytree(template.parent / "code", folder / "stacks" / name)
            function["Properties"]["CodeUri"] = name
        (folder / "stacks/nested.yaml").write_text(json.dumps(nested))
        folders.append(folder)
        return 0, ""

    monkeypatch.setattr(sam, "call", call)
    monkeypatch.setattr(build, "_BUILDS", tmp_path / "builds")
    monkeypatch.setattr(build, "_ARCHIVES", tmp_path / "archives")
    return folders


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return an application that has its functions in a nested one, which not every deployment has."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "code/package").mkdir(parents=True)
    (tmp_path / "code/package/handler.py").write_text("def handler(): ...")
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "../code"}}
    (tmp_path / "stacks/nested.yaml").write_text(json.dumps({"Resources": {"Answer": function, "Repeat": function}}))
    application = {"Type": "AWS::Serverless::Application", "Properties": {"Location": "stacks/nested.yaml"}}
    body = {
        "Conditions": {"IsWanted": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Nested": {**application, "Condition": "IsWanted"}},
    }
    path = tmp_path / "template.yaml"
    path.write_text(json.dumps(body))
    return path


def _change(file: str) -> Change:
    return lambda folder: (folder / file).write_text((folder / file).read_text() + "\n")


def _compile(folder: Path) -> None:
    (folder / "code/package/__pycache__").mkdir()
    (folder / "code/package/__pycache__/handler.pyc").write_bytes(b"")


def test_same_sources_are_built_once(built: list[Path], template: Path) -> None:
    first = build.build_for_cloud(template)
    _compile(template.parent)
    assert build.build_for_cloud(template) == first
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
    first = build.build_for_cloud(template)
    change(template.parent)
    assert build.build_for_cloud(template) != first
    assert len(built) == 2


@pytest.mark.usefixtures("built")
def test_code_of_all_functions_is_one_archive(template: Path) -> None:
    folder = build.build_for_cloud(template).parent / "stacks"
    functions = json.loads((folder / "nested.yaml").read_text())["Resources"]
    (archive,) = {function["Properties"]["CodeUri"] for function in functions.values()}
    with ZipFile(archive) as opened:
        assert opened.read("package/handler.py") == b"def handler(): ..."
    assert [path.name for path in folder.iterdir()] == ["nested.yaml"]


def test_build_that_failed_is_tried_again(built: list[Path], template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sam, "call", lambda *_, **__: (1, "it is broken"))
        with pytest.raises(BuildFailed, match="it is broken"):
            build.build_for_cloud(template)
    assert build.build_for_cloud(template).exists()
    assert len(built) == 1
