"""Calls SAM CLI: no telemetry, no question for a newer version, and not the caller's AWS where another is meant."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.paths import ROOT, SAM, STATE, UV

_HOME = STATE / "cache/sam"


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Return template parameters as arguments."""
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())] if parameters else []


def call(
    *arguments: str | Path,
    architecture: str | None = None,
    cloud: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    show: bool = False,
) -> tuple[int, str]:
    """Run SAM CLI and return its status and what it said.

    Args:
        arguments: Its command and options.
        architecture: What layers are built for.
        cloud: AWS variables in the place of the caller's own.
        cwd: Where it runs.
        show: Whether it talks to the terminal instead; nothing is returned then.
    """
    done = subprocess.run(  # noqa: S603 - SAM CLI
        [SAM, *arguments],
        cwd=cwd,
        env=_environment(architecture, cloud),
        check=False,
        capture_output=not show,
        text=True,
    )
    return done.returncode, "" if show else f"{done.stdout}{done.stderr}"


def _environment(architecture: str | None, cloud: Mapping[str, str] | None) -> dict[str, str]:
    _HOME.mkdir(parents=True, exist_ok=True)
    # A check in the future: otherwise it would ask PyPI once a week.
    (_HOME / "metadata.json").write_text(json.dumps({"telemetryEnabled": False, "lastVersionCheck": 4e9}))
    own = {name: value for name, value in os.environ.items() if cloud is None or not name.startswith("AWS_")}
    return {
        **own,
        # sam build looks for the runtime's interpreter on PATH: SAM's own is of that version.
        "PATH": f"{SAM.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(_HOME),
        # For layers/Makefile.
        "UV": str(UV),
        **({"GATEHOUSE_ARCHITECTURE": architecture} if architecture else {}),
        **(cloud or {}),
    }
