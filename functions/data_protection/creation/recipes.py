"""All recipes, by the kind of what they make."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from data_protection.creation.kinds import buckets, clusters, databases, keys, roles, secrets, tables
from data_protection.creation.recipe import Recipe
from data_protection.resources import Kind

RECIPES: Final[Mapping[Kind, Recipe[Any]]] = MappingProxyType(
    {kind.RECIPE.kind: kind.RECIPE for kind in (keys, roles, buckets, tables, secrets, databases, clusters)}
)
