"""Which adapters of data_protection act in a role of an account, and in which one, by what the source says."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from local.paths import ROOT

_PACKAGE = ROOT / "functions/data_protection"
# What a module calls for the clients of an account, and whose rights these have.
_SOURCES = {"Clients.reading": "assess", "Clients.changing": "remediate", "Clients": "remediate", "acting": "lock"}


@cache
def acting(rights: str) -> frozenset[type[Any]]:
    """Return the adapters that are given clients to assess, remediate or lock an account."""
    return frozenset(adapter for path in _PACKAGE.rglob("*.py") for given, adapter in _of(path) if given == rights)


def _of(path: Path) -> Iterator[tuple[str, type[Any]]]:
    tree = ast.parse(path.read_text())
    adapters = {
        alias.name: getattr(importlib.import_module(node.module), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("data_protection.adapters.")
        for alias in node.names
        if node.module
    }
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        held: dict[str, str] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and (rights := _rights(node.value, held)) is not None:
                held |= {
                    name.id: rights
                    for target in node.targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            adapter = adapters.get(ast.unparse(call.func))
            if inspect.isclass(adapter) and adapter.__name__ != "Clients":
                found = {_rights(argument, held) for argument in (*call.args, *(k.value for k in call.keywords))}
                yield from ((rights, adapter) for rights in found if rights is not None)


def _rights(value: ast.expr, held: dict[str, str]) -> str | None:
    """Return whose rights an expression has, by the first thing in it that has any."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _SOURCES:
            return _SOURCES[ast.unparse(node.func)]
        if isinstance(node, ast.Name) and node.id in held:
            return held[node.id]
    return None
