"""`sam build` of the real template, for AWS and for the embedded cloud."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import sam, samconfig
from local.errors import BuildFailed
from local.paths import ROOT, SAM_LOCK, STATE
from local.template import load

TEMPLATE = ROOT / "template.yaml"
_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_ARCHIVES = STATE / "cache/archives"
_BUILDS = STATE / "cache/builds"
_BUILT = "build/template.yaml"
_UNUSED_DAYS = 7
# What a template says of the files that it takes along.
_SOURCES = ("CodeUri", "ContentUri", "DefinitionUri")
# A fixed time lets equal folders be equal archives.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def host_architecture() -> str:
    """Return Lambda's name for this machine's architecture: built zips run here only if they match."""
    return _ARCHITECTURES[platform.machine()]


def build_for_aws(env: str) -> None:
    """Run `sam build` for an environment of samconfig.toml.

    Raises:
        EnvironmentUnknown: There is no such environment.
        BuildFailed: `sam build` failed; its output has been shown.
    """
    given = samconfig.environment(env).parameters
    code, _ = sam.call(
        "build",
        "--template-file",
        TEMPLATE,
        "--no-cached",
        "--config-env",
        env,
        architecture=given.get("Architecture", load(TEMPLATE)["Parameters"]["Architecture"]["Default"]),
        show=True,
    )
    if code != 0:
        raise BuildFailed(f"sam build for '{env}' failed: the reason stands above.")


def build_for_cloud(template: Path) -> Path:
    """Run `sam build` for this machine and make what it built digestible for the emulator; once for the same sources.

    No parameter but the Architecture has a say in it: `sam build` takes in every nested application and every function,
    whatever their conditions, and leaves each reference to a parameter to the deployment.

    Args:
        template: The root template.

    Returns:
        The built root template. Who deploys it must leave it and everything beside it as it is: others deploy it too.

    Raises:
        BuildFailed: `sam build` failed.
    """
    _BUILDS.mkdir(parents=True, exist_ok=True)
    with _alone():
        folder = _BUILDS / _digest(template)
        if not folder.exists():
            _forget_unused()
            fresh = Path(tempfile.mkdtemp(dir=_BUILDS))
            try:
                # SAM CLI also writes beside the folder that it builds into.
                _build(template, fresh / _BUILT)
                fresh.rename(folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        os.utime(folder)
    return folder / _BUILT


@contextmanager
def _alone() -> Iterator[None]:
    """Yield while no other process of this checkout builds: what it builds may be what is wanted here."""
    with _BUILDS.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(template: Path, built: Path) -> None:
    architecture = host_architecture()
    code, said = sam.call(
        "build",
        "--template-file",
        template,
        "--build-dir",
        built.parent,
        "--no-cached",
        *sam.overrides({"Architecture": architecture}),
        architecture=architecture,
        cloud={},
    )
    if code != 0:
        raise BuildFailed(f"sam build of {template} failed:\n{said}")
    _prepare(built)


def _digest(template: Path) -> str:
    """Return what tells builds apart: what builds, the templates and everything that they take along."""
    digest = hashlib.blake2b(json.dumps([str(template.resolve()), host_architecture()]).encode(), digest_size=16)
    stacks = dict(_templates(template.resolve()))
    places = {(path.parent / source).resolve() for path, body in stacks.items() for source in _sources(body)}
    for path in (SAM_LOCK, Path(__file__), *sorted(stacks), *_files(places)):
        _take_in(digest, path, str(path))
    return digest.hexdigest()


def _templates(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a template and those of all applications nested in it, whatever their conditions."""
    body = load(path)
    yield path, body
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Application":
            yield from _templates((path.parent / resource["Properties"]["Location"]).resolve())


def _sources(body: Any) -> Iterator[str]:
    """Yield the local paths in a template."""
    if isinstance(body, list):
        for item in body:
            yield from _sources(item)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in _SOURCES and isinstance(value, str):
                yield value
            else:
                yield from _sources(value)


def _files(places: Iterable[Path]) -> list[Path]:
    found = {path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()}
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _take_in(digest: Any, path: Path, name: str) -> None:
    digest.update(f"{name}\0{path.stat().st_size}\0".encode())
    digest.update(path.read_bytes())


def _forget_unused() -> None:
    oldest = time.time() - _UNUSED_DAYS * 86_400
    for folder in _BUILDS.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


def _prepare(built: Path) -> None:
    body = load(built)
    for logical_id, resource in body["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Application":
                _prepare((built.parent / properties["Location"]).resolve())
            case "AWS::Serverless::StateMachine" if str(properties.get("DefinitionUri")).endswith((".yaml", ".yml")):
                properties["DefinitionUri"] = _definition_as_json(built.parent, logical_id, properties["DefinitionUri"])
            case "AWS::Serverless::LayerVersion":
                properties["ContentUri"] = _archived(built.parent / properties["ContentUri"])
            case "AWS::Serverless::Function" if "CodeUri" in properties:
                properties["CodeUri"] = _archived(built.parent / properties["CodeUri"])
    built.write_text(json.dumps(body, indent=1))


def _definition_as_json(folder: Path, logical_id: str, uri: str) -> str:
    """Write a YAML definition as JSON beside the built template; MiniStack parses no YAML from S3.

    `sam build` refers back to the source file: it is read and never written.
    """
    name = f"{logical_id}.asl.json"
    (folder / name).write_text(json.dumps(_definition(folder / uri), indent=1))
    return name


def _definition(path: Path) -> dict[str, Any]:
    definition = load(path)
    if "States" not in definition:
        raise BuildFailed(f"{path} is not a state machine: it has no States.")
    return definition


def _archived(folder: Path) -> str:
    """Replace a folder by a zip of it, made once for its content, and return where that is.

    `sam deploy` would zip 350 MB of layers at every deployment, and the same code for every function.
    """
    digest = hashlib.blake2b(digest_size=16)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        _take_in(digest, path, str(path.relative_to(folder)))
    archive = _ARCHIVES / f"{digest.hexdigest()}.zip"
    if not archive.exists():
        _ARCHIVES.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".unfinished")
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as opened:
            for path in files:
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
                opened.writestr(entry, path.read_bytes())
        fresh.rename(archive)
    shutil.rmtree(folder)
    return str(archive)
