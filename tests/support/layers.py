"""Layers as functions find them: the locked wheels, installed for this machine, and handlers imported beside them."""

import fcntl
import hashlib
import json
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local.paths import ROOT, RUNTIME_PYTHON, STATE, UV
from tests.support.templates import Function, Json, functions

_INSTALLED = STATE / "layers"
_PROBED = STATE / "probed"
_PROBE = ROOT / "tests/support/probe.py"
_RUNTIME = ROOT / "requirements/runtime.txt"


@dataclass(frozen=True)
class Imported:
    """What importing a handler brought to light, in the functions' own interpreter.

    Attributes:
        adapters: IAM actions of each adapter class that the module imports; None for one that declares none.
        libraries: Which of polars and pyarrow it imported, itself or by others.
    """

    adapters: dict[str, list[str] | None]
    libraries: list[str]


def installed(layer: Path) -> Path:
    """Return the folder of a layer's packages."""
    return packages(layer / "requirements.txt")


def packages(lock: Path) -> Path:
    """Return the folder of a lock's packages, installed once for each state of the lock."""
    # The wheels that layers/Makefile takes: of the oldest system, which is what python3.11 runs on.
    wheels = f"{platform.machine().replace('arm64', 'aarch64')}-manylinux2014"
    target = (
        _INSTALLED / f"{lock.parent.name}-{lock.stem}-{wheels}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    )
    if not target.exists():
        _INSTALLED.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=_INSTALLED))
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-platform", wheels]
        command = [
            UV,
            "pip",
            "install",
            *options,
            "--python",
            RUNTIME_PYTHON,
            "--target",
            folder,
            "--requirement",
            lock,
        ]
        subprocess.run([str(part) for part in command], check=True)  # noqa: S603 - our uv
        try:
            folder.rename(target)
        except OSError:  # another worker was faster
            shutil.rmtree(folder)
    return target


def imported(function: Function) -> Imported:
    """Import a function's handler with nothing but its code and its layers, and say what that brought to light.

    The environment is empty but for the region, which AWS sets: a handler that reads its variables or makes clients at
    import fails here.
    """
    found = _imported(function.code, tuple(function.layers))[f"{function.module}.{function.attribute}"]
    assert "error" not in found, f"{function} cannot be imported with its code and layers alone:\n{found['error']}"
    return Imported(**found)


@cache
def _imported(code: Path, layers: tuple[Path, ...]) -> dict[str, Json]:
    """Import the handlers of all functions with the same code and layers; once for each state of all that matters."""
    same = [function for function in functions() if (function.code, tuple(function.layers)) == (code, layers)]
    handlers = [f"{function.module}.{function.attribute}" for function in same]
    kept = _PROBED / f"{_state(code, layers, handlers)}.json"
    _PROBED.mkdir(parents=True, exist_ok=True)
    with (_PROBED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be at it, which takes half a minute
        if not kept.exists():
            unfinished = kept.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(probed(code, layers, handlers)))
            unfinished.replace(kept)
    found: dict[str, Json] = json.loads(kept.read_text())
    return found


def _state(code: Path, layers: tuple[Path, ...], handlers: list[str]) -> str:
    """Return what tells apart all that the probe's findings depend on."""
    files = [_PROBE, _RUNTIME, *(layer / "requirements.txt" for layer in layers), *sorted(code.rglob("*.py"))]
    state = hashlib.sha256(json.dumps(handlers).encode())
    for file in files:
        state.update(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return state.hexdigest()[:32]


def probed(code: Path, layers: tuple[Path, ...], handlers: list[str]) -> dict[str, Json]:
    """Return what the probe finds of each handler, or its `error`."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(str(path) for path in (code, *map(installed, layers))),
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }
    # -P keeps the folder of the probe, and with it the tests, off the path.
    command = [str(RUNTIME_PYTHON), "-P", str(_PROBE), *handlers]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=True)  # noqa: S603 - the functions' interpreter
    found: dict[str, Json] = json.loads(done.stdout)
    return found


@cache
def size(folder: Path) -> int:
    """Return the bytes of a folder's files, as they count against Lambda's limit."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
