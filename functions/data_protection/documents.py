"""Documents that people write, as YAML or JSON."""

from collections.abc import Iterator
from typing import Any

import yaml


def load(text: str) -> Any:
    """Return what a YAML text holds; JSON is YAML too.

    Raises:
        YAMLError: It is no YAML, or a key stands twice in an object, which YAML forbids (1.2.2, section 3.2.1.3) and
            PyYAML takes: the last one would go before the others unseen.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - of the safe one


class _Loader(yaml.CSafeLoader):
    def get_single_node(self) -> yaml.Node | None:
        # Before merge keys are resolved: what they bring may be overridden.
        root = super().get_single_node()
        mistakes = [mistake for mapping in _mappings(root) for mistake in _repeated(mapping)]
        if mistakes:
            raise yaml.YAMLError("; ".join(mistakes))
        return root


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
