"""`sam build` of the real template, for AWS and for the embedded cloud."""

import hashlib
import json
import os
import platform
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import sam, samconfig
from local.errors import BuildFailed
from local.paths import ROOT, STATE
from local.template import load

TEMPLATE = ROOT / "template.yaml"
_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_LAYER_ARCHIVES = STATE / "cache/layers"
# A fixed time lets equal layers be equal archives.
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


def build_for_cloud(template: Path, folder: Path, parameters: Mapping[str, str]) -> Path:
    """Run `sam build` and make what it built digestible for the emulator.

    Args:
        template: The root template.
        folder: Where to build.
        parameters: Template parameters.

    Returns:
        The built root template.

    Raises:
        BuildFailed: `sam build` failed.
    """
    built = folder / "build" / "template.yaml"
    code, said = sam.call(
        "build",
        "--template-file",
        template,
        "--build-dir",
        built.parent,
        "--no-cached",
        *sam.overrides(parameters),
        architecture=parameters.get("Architecture", host_architecture()),
        cloud={},
    )
    if code != 0:
        raise BuildFailed(f"sam build of {template} failed:\n{said}")
    _prepare(built)
    return built


def _prepare(built: Path) -> None:
    body = load(built)
    for logical_id, resource in body["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Application":
                _prepare((built.parent / properties["Location"]).resolve())
            case "AWS::Serverless::StateMachine" if str(properties.get("DefinitionUri")).endswith((".yaml", ".yml")):
                properties["DefinitionUri"] = _definition_as_json(built.parent, logical_id, properties["DefinitionUri"])
            case "AWS::Serverless::LayerVersion" if (built.parent / properties["ContentUri"]).is_dir():
                properties["ContentUri"] = str(_archive(built.parent / properties["ContentUri"]))
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


def _archive(layer: Path) -> Path:
    """Return a layer as a zip, made once for its content: `sam deploy` would zip 350 MB at every deployment."""
    digest = hashlib.blake2b(digest_size=16)
    files = sorted(path for path in layer.rglob("*") if path.is_file())
    for path in files:
        digest.update(f"{path.relative_to(layer)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    archive = _LAYER_ARCHIVES / f"{digest.hexdigest()}.zip"
    if not archive.exists():
        _LAYER_ARCHIVES.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as opened:
            for path in files:
                entry = zipfile.ZipInfo(str(path.relative_to(layer)), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
                opened.writestr(entry, path.read_bytes())
        fresh.rename(archive)
    return archive
