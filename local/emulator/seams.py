"""Replaces private functions of MiniStack; each name and its parameters are checked before the server starts."""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from importlib.metadata import version
from types import ModuleType
from typing import Any

VERSION = "1.5.33"


class EmulatorChanged(RuntimeError):
    """MiniStack is not what these patches were written against."""


def check_version() -> None:
    """Refuse any other version than the one that the patches were written against.

    Raises:
        EmulatorChanged: Another version is installed.
    """
    found = version("ministack")
    if found != VERSION:
        raise EmulatorChanged(
            f"MiniStack {found} is installed, but local/emulator was written for {VERSION}. "
            "Follow 'Upgrading MiniStack' in docs/local-cloud.md."
        )


def private(module: ModuleType, name: str, parameters: str) -> Callable[..., Any]:
    """Return a private function of MiniStack after a look at its parameters.

    Args:
        module: MiniStack's module.
        name: The function.
        parameters: The names of its parameters, separated by blanks.

    Raises:
        EmulatorChanged: The function is gone or takes something else.
    """
    function = getattr(module, name, None)
    if not callable(function):
        raise EmulatorChanged(f"{module.__name__}.{name} is gone: see 'Upgrading MiniStack' in docs/local-cloud.md.")
    found = " ".join(inspect.signature(function).parameters)
    if found != parameters:
        raise EmulatorChanged(
            f"{module.__name__}.{name} takes ({found}) instead of ({parameters}): "
            "see 'Upgrading MiniStack' in docs/local-cloud.md."
        )
    return function  # type: ignore[no-any-return]


def replace(
    module: ModuleType, name: str, parameters: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Put `wrap(original)` in the place of a private function of MiniStack."""
    original = private(module, name, parameters)
    # update_wrapper also lets the next replacement of the same function see the parameters of the first.
    setattr(module, name, update_wrapper(wrap(original), original))
