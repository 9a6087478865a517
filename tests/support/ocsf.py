"""Events against the published schema of OCSF, from an excerpt of it in tests/resources."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from local.paths import ROOT

Json = dict[str, Any]


@cache
def published(name: str = "http_activity") -> Json:
    """Return the excerpt for a class: it, its objects and types of OCSF 1.3.0."""
    return dict(json.loads((ROOT / f"tests/resources/ocsf-1.3.0-{name}.json").read_text()))


def problems(event: Json, name: str = "http_activity") -> list[str]:
    """Return what the schema says against an event of a class; null attributes count as absent."""
    schema = published(name)
    return list(_object_problems("", event, schema["class"], schema))


def _object_problems(place: str, value: Json, shape: Json, schema: Json) -> Iterator[str]:
    attributes = shape["attributes"]
    present = {name for name, inner in value.items() if inner is not None}
    for name in sorted(present - attributes.keys()):
        yield f"{place}{name} is no attribute"
    for name, attribute in attributes.items():
        if attribute["requirement"] == "required" and name not in present:
            yield f"{place}{name} is required"
    one_of = shape.get("constraints", {}).get("at_least_one", [])
    if one_of and not present & set(one_of):
        yield f"{place} has none of {', '.join(one_of)}"
    for name in sorted(present & attributes.keys()):
        attribute = attributes[name]
        values = value[name] if attribute.get("array") else [value[name]]
        for inner in values:
            yield from _value_problems(f"{place}{name}", inner, attribute, schema)


def _value_problems(place: str, value: Any, attribute: Json, schema: Json) -> Iterator[str]:
    kind = attribute["type"]
    if attribute.get("object"):
        yield from _object_problems(f"{place}.", value, schema["objects"][kind], schema)
        return
    if kind == "object_t":
        if not isinstance(value, dict):
            yield f"{place} is no object"
        return
    if "enum" in attribute and str(value) not in attribute["enum"]:
        yield f"{place} is {value}, which is none of its values"
    yield from _scalar_problems(place, value, kind, schema)


def _scalar_problems(place: str, value: Any, kind: str, schema: Json) -> Iterator[str]:
    shape = schema["types"][kind]
    base = shape.get("type", kind)
    wanted = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool, "float_t": float}[base]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        yield f"{place} is {value!r}, which is no {kind}"
        return
    if "regex" in shape and not re.search(shape["regex"], str(value)):
        yield f"{place} is {value!r}, which is no {kind}"
    if "range" in shape and not shape["range"][0] <= value <= shape["range"][1]:
        yield f"{place} is {value}, out of range"
