"""AWS' models are found and parsed once a process: every client with a session of its own would do it again."""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


def parse_once() -> None:
    """Let all sessions of this process share the models, as all clients of one session do."""
    read, look = cache(JSONFileLoader().load_file), Loader.list_available_services
    found: dict[tuple[str, ...], list[str]] = {}

    def load_file(_: JSONFileLoader, file_path: str) -> Any:
        return read(file_path)

    def list_available_services(self: Loader, type_name: str) -> list[str]:
        wanted = (type_name, *self.search_paths)
        if wanted not in found:
            found[wanted] = look(self, type_name)
        return found[wanted]

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign, assignment]
    Loader.list_available_services = list_available_services  # type: ignore[method-assign]
