"""AWS' models are parsed once a process: every client with a session of its own would parse them again."""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader


def parse_once() -> None:
    """Let all sessions of this process share the models, as all clients of one session do."""
    read = cache(JSONFileLoader().load_file)

    def load_file(_: JSONFileLoader, file_path: str) -> Any:
        return read(file_path)

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign, assignment]
