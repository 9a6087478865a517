"""AWS' models are found and parsed once a process: every client with a session of its own would do it again.

And so are the names of botocore's events, by which each session looks up hundreds of handlers, the words of which it
makes its user agent, twice for each request, the times that answers tell again and again, and what the handlers of
events take, of which each session and each client has its own list.
"""

from functools import cache, lru_cache
from types import FunctionType
from typing import Any

from botocore import hooks, parsers, useragent
from botocore.hooks import EVENT_ALIASES, EventAliaser
from botocore.loaders import JSONFileLoader, Loader

_TIMES = 10_000


def parse_once() -> None:
    """Let all sessions of this process share the models, as all clients of one session do."""
    useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)
    parsers.DEFAULT_TIMESTAMP_PARSER = lru_cache(_TIMES)(parsers.DEFAULT_TIMESTAMP_PARSER)
    _share_what_handlers_take()
    _share_names_of_events()
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


def _share_what_handlers_take() -> None:
    look = hooks.accepts_kwargs
    of_function = cache(look)

    def accepts_kwargs(handler: Any) -> Any:
        function = getattr(handler, "__func__", handler)
        # Nothing else is kept: a method would keep its client.
        return of_function(function) if type(function) is FunctionType else look(handler)

    hooks.accepts_kwargs = accepts_kwargs  # type: ignore[assignment]


def _share_names_of_events() -> None:
    begin = EventAliaser.__init__
    names: dict[str, str] = {}

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it takes the place of one
        begin(self, *args, **kwargs)
        if self._event_aliases == EVENT_ALIASES:
            self._alias_name_cache = names

    EventAliaser.__init__ = __init__  # type: ignore[method-assign]
