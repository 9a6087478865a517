"""What a handler's source says of itself: the contract it parses, the settings it loads, the errors it documents."""

import ast
import importlib
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from tests.support.exceptions import exception_names
from tests.support.templates import Function

# What the docstring of a handler lists after this word are the errors that only it can raise.
_ERRORS = re.compile(r"^Errors: (.*)\Z", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class HandlerSource:
    """A handler module, parsed but not imported: importing may need a layer.

    Attributes:
        path: The file.
        tree: Its syntax.
        names: Module of each name that it imports from somewhere.
    """

    path: Path
    tree: ast.Module = field(compare=False, repr=False)
    names: dict[str, str] = field(compare=False, repr=False)

    @property
    def contract(self) -> type[BaseModel]:
        """The model that the event, or each message of a batch, is parsed into."""
        parsed = [self._receiver(call) for call in self._calls("model_validate", "model_validate_json")]
        assert parsed, f"{self.path} parses its event into no contract: `X.model_validate(event)`"
        return self._imported(parsed[0])

    @property
    def takes_batches(self) -> bool:
        """Whether the event is a batch of messages."""
        return bool(self.names.keys() & {"BatchProcessor", "SqsFifoPartialProcessor"})

    @property
    def settings(self) -> list[type[BaseModel]]:
        """The settings it loads."""
        loads = (
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load"
        )
        return [self._imported(call.args[0].id) for call in loads if isinstance(call.args[0], ast.Name)]

    def documented_errors(self, domain: str) -> set[str]:
        """Return the exceptions that the docstring names as never retried."""
        found = _ERRORS.search(ast.get_docstring(self.tree) or "")
        words = set(re.findall(r"\w+", re.split(r"\(never\s+retried\)", found.group(1))[0])) if found else set()
        return words & exception_names(domain)

    def _calls(self, *methods: str) -> list[ast.Call]:
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods
        ]

    def _receiver(self, call: ast.Call) -> str:
        assert isinstance(call.func, ast.Attribute)
        assert isinstance(call.func.value, ast.Name), f"{self.path}: {ast.unparse(call)} is not of the form X.method(…)"
        return call.func.value.id

    def _imported(self, name: str) -> type[BaseModel]:
        found: type[BaseModel] = getattr(importlib.import_module(self.names[name]), name)
        return found


@cache
def handler_source(function: Function) -> HandlerSource:
    """Parse the module of a function's handler."""
    tree = ast.parse(function.source.read_text())
    names = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return HandlerSource(function.source, tree, names)
