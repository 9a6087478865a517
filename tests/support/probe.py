"""Run by the interpreter of the functions: imports handlers and prints what that brought to light, as JSON.

Each handler is imported in a process of its own, which finds the libraries that all of them have loaded already.
"""

import importlib
import json
import os
import sys
import traceback
from typing import Any

_COMPOSE = ".compose"
# Of the runtime and of the layer that every function has; neither polars nor pyarrow, of which a handler takes its own.
_SHARED = (
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.batch",
    "aws_xray_sdk.core.async_recorder",
    "boto3",
    "pydantic.dataclasses",
    "pydantic.main",
    "pydantic.type_adapter",
)


def main(handlers: list[str]) -> None:
    """Import handlers, each named `module.attribute`, and print what is known of each."""
    for library in _SHARED:
        importlib.import_module(library)
    json.dump({handler: _apart(handler) for handler in handlers}, sys.stdout)


def _apart(handler: str) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as answer:
            json.dump(_imported(*handler.rsplit(".", 1)), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found: dict[str, Any] = json.loads(answer.read() or '{"error": "its process died"}')
    os.waitpid(child, 0)
    return found


def _imported(module_name: str, attribute: str) -> dict[str, Any]:
    """Import a handler; fail as Lambda would."""
    try:
        module = importlib.import_module(module_name)
        if not callable(getattr(module, attribute)):
            raise TypeError(f"{module_name}.{attribute} cannot be called")  # noqa: TRY301 - told like all others
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        return {"error": traceback.format_exc()}
    # Handlers that share their composition with others have it in a module of its own.
    modules = {
        found.__module__ for found in vars(module).values() if getattr(found, "__module__", "").endswith(_COMPOSE)
    }
    names = [*vars(module).values(), *(found for name in modules for found in vars(sys.modules[name]).values())]
    classes = [found for found in names if isinstance(found, type) and _calls_aws(found)]
    adapters = {
        f"{found.__module__}.{found.__name__}": sorted(found.IAM) if hasattr(found, "IAM") else None
        for found in classes
    }
    libraries = [library for library in ("polars", "pyarrow") if library in sys.modules]
    return {"adapters": adapters, "libraries": libraries}


def _calls_aws(found: type) -> bool:
    """Return whether a class is an adapter: a domain's own, or one of the kernel's that says what it needs."""
    return ".adapters." in found.__module__ or (found.__module__.startswith("kernel.") and hasattr(found, "IAM"))


if __name__ == "__main__":
    main(sys.argv[1:])
