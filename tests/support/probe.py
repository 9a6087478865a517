"""Run by the interpreter of the functions: imports a handler and prints what that brought to light, as JSON."""

import importlib
import json
import sys

_COMPOSE = ".compose"


def main(module_name: str, attribute: str) -> None:
    """Import the handler; fail as Lambda would."""
    module = importlib.import_module(module_name)
    if not callable(getattr(module, attribute)):
        raise TypeError(f"{module_name}.{attribute} cannot be called")
    # Handlers that share their composition with others have it in a module of its own.
    modules = {
        found.__module__ for found in vars(module).values() if getattr(found, "__module__", "").endswith(_COMPOSE)
    }
    names = [*vars(module).values(), *(found for name in modules for found in vars(sys.modules[name]).values())]
    classes = [found for found in names if isinstance(found, type) and ".adapters." in found.__module__]
    adapters = {
        f"{found.__module__}.{found.__name__}": sorted(found.IAM) if hasattr(found, "IAM") else None
        for found in classes
    }
    libraries = [library for library in ("polars", "pyarrow") if library in sys.modules]
    sys.stdout.write(json.dumps({"adapters": adapters, "libraries": libraries}))


if __name__ == "__main__":
    main(*sys.argv[1:])
