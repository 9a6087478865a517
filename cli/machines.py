"""What the definitions of state machines, in this checkout, say of them."""

from pathlib import Path
from typing import Final

from local.paths import ROOT

_INPUT: Final = "Input: "


def domain(machine: str) -> str:
    """Return the domain that has a machine, by its short name; empty if none has it."""
    path = _definition(machine)
    return path.parent.name if path else ""


def documented_input(machine: str) -> str:
    """Return what a machine takes, as its definition's comment describes it; empty if that says nothing of it."""
    from local.template import load  # noqa: PLC0415 - heavy

    path = _definition(machine)
    comment = str(load(path).get("Comment", "")) if path else ""
    return " ".join(comment.partition(_INPUT)[2].split())


def takes(machine: str, field: str) -> bool:
    """Return whether a machine documents a field of its input."""
    return f'"{field}"' in documented_input(machine)


def _definition(machine: str) -> Path | None:
    found = (path for path in (ROOT / "statemachines").glob("*/*.asl.yaml") if path.name == f"{machine}.asl.yaml")
    return next(found, None)
