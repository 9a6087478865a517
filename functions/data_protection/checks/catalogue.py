"""All checks: the modules of this package that name a `CHECK`. Adding one is adding a file."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import data_protection.checks as package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data_protection.checks.check import Check


@cache
def catalogue() -> "Mapping[str, Check[Any]]":
    """Return the checks by id, in order of it.

    Raises:
        ValueError: Two modules claim one id.
    """
    found: dict[str, Check[Any]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        check = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "CHECK", None)
        if check is None:
            continue
        if check.id in found:
            raise ValueError(f"Two checks are called {check.id}; one of them is in {module.name}.py.")
        found[check.id] = check
    return MappingProxyType(dict(sorted(found.items())))
