"""What moto works out anew for each request is worked out once a process, where it can be nothing else.

Most of what tests with an account of moto's take is moto's own, and much of that is the names of things: of the methods
that answer, and of the attributes that may hold a member of an answer.
"""

from functools import cache
from importlib import import_module
from typing import Any

from moto import settings

# Of any type: what is replaced in them are functions, which no type lets happen.
_backends: Any = import_module("moto.backends")
_responses: Any = import_module("moto.core.responses")
_sqs: Any = import_module("moto.sqs.models")
_Backend: Any = import_module("moto.core.base_backend").BaseBackend
_Picker: Any = import_module("moto.core.serialize").XFormedAttributePicker


def share() -> None:
    """Let all requests of this process share them."""
    _responses.method_names_from_class = cache(_responses.method_names_from_class)
    _responses.camelcase_to_underscores = _sqs.camelcase_to_underscores = cache(_responses.camelcase_to_underscores)
    _backends.get_backend = cache(_backends.get_backend)
    _share_urls()
    _share_names_of_members()


def _share_urls() -> None:
    make = _Backend.urls.fget
    found: dict[Any, Any] = {}

    def urls(self: Any) -> Any:
        # Of S3 a module is loaded again for each request, in case that its environment is another by now.
        about = (type(self), *settings.get_s3_custom_endpoints(), settings.enable_iso_regions())
        if about not in found:
            found[about] = make(self)
        return found[about]

    _Backend.urls = property(urls)


def _share_names_of_members() -> None:
    find = _Picker.get_possible_keys
    found: dict[Any, tuple[str, ...]] = {}

    def get_possible_keys(self: Any, context: Any) -> Any:
        # Objects may say by what names they have what; of a dictionary it is the model alone that does.
        if type(context.obj) is not dict:
            return find(self, context)
        about = (tuple(self.alias_providers), context.key, context.shape, getattr(context.shape, "parent", None))
        if about not in found:
            found[about] = tuple(dict.fromkeys(find(self, context)))
        return found[about]

    _Picker.get_possible_keys = get_possible_keys
