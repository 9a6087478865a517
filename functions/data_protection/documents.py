"""Documents that people write, as YAML or JSON."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

_STRING: Final = "tag:yaml.org,2002:str"
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")


def load(text: str) -> Any:
    """Return what a YAML text holds; JSON is YAML too.

    Raises:
        YAMLError: It is no YAML, or a key stands twice in an object, which YAML forbids (1.2.2, section 3.2.1.3) and
            PyYAML takes: the last one would go before the others unseen.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - of the safe one


def load_json(text: str) -> Any:
    """Return what a JSON text holds, many times as fast as `load`, and nothing that is only YAML.

    Raises:
        ValueError: It is no JSON.
        YAMLError: A key stands twice in an object.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _KeyRepeated:
        return load(text)  # which says where


class _KeyRepeated(Exception):
    """A key stands twice in an object."""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        raise _KeyRepeated
    return held


class _Loader(yaml.CSafeLoader):
    def get_single_node(self) -> yaml.Node | None:
        # Before merge keys are resolved: what they bring may be overridden.
        root = super().get_single_node()
        mistakes = [mistake for mapping in _mappings(root) for mistake in _repeated(mapping)]
        if mistakes:
            raise yaml.YAMLError("; ".join(mistakes))
        return root


# Of YAML 1.1, and not of 1.2 (10.3.2): 22:00 would be 1,320, and a window open from 00:22 on.
_Loader.yaml_implicit_resolvers = {
    first: [*([(_STRING, _BASE_60)] if first and first in "-+0123456789" else []), *known]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _mappings(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """Yield the objects of a document in its order, each once, however many aliases it has."""
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            left += reversed([value for _, value in node.value])
        elif isinstance(node, yaml.SequenceNode):
            left += reversed(node.value)


def _repeated(mapping: yaml.MappingNode) -> Iterator[str]:
    """Yield a clause for each key that an object has already."""
    lines: dict[tuple[str, str], int] = {}
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line, known = key.start_mark.line + 1, lines.get((key.tag, key.value))
        if known is not None:
            yield f"{key.value} on line {line} stands on line {known} already: leave one"
        lines.setdefault((key.tag, key.value), line)
