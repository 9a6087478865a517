"""All conflicts: the modules of this package that name a `CONFLICT`. Adding one is adding a file."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import data_protection.conflicts as package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data_protection.conflicts.conflict import Conflict


@cache
def catalogue() -> "Mapping[str, Conflict]":
    """Return the conflicts by id, in order of it.

    Raises:
        ValueError: Two modules claim one id.
    """
    found: dict[str, Conflict] = {}
    for module in pkgutil.iter_modules(package.__path__):
        conflict = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "CONFLICT", None)
        if conflict is None:
            continue
        if conflict.id in found:
            raise ValueError(f"Two conflicts are called {conflict.id}; one of them is in {module.name}.py.")
        found[conflict.id] = conflict
    return MappingProxyType(dict(sorted(found.items())))
