"""Exception classes of the deployed code: their names are the error names that state machines see."""

import ast
import builtins
from functools import cache

from local.paths import ROOT

# Raised by every handler whose input breaks its contract.
CONTRACT_ERROR = "ValidationError"


@cache
def exception_names(domain: str) -> frozenset[str]:
    """Return the names of all exceptions that a domain's functions may raise of their own, the kernel's included."""
    bases: dict[str, set[str]] = {}
    for package in ("kernel", domain):
        for path in ROOT.joinpath("functions", package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return frozenset({name for name in bases if _is_exception(name, bases)} | {CONTRACT_ERROR})


def _is_exception(name: str, bases: dict[str, set[str]]) -> bool:
    builtin = getattr(builtins, name, None)
    if isinstance(builtin, type):
        return issubclass(builtin, BaseException)
    return any(_is_exception(base, bases) for base in bases.get(name, set()))
