"""Selectors: which resources a rule of a profile is about, by name, by a pattern of names or by a tag. Pure."""

import fnmatch
import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator, model_validator

from data_protection.resources import Place, Resource

_LEAST_LITERAL: Final = 3  # characters of a pattern that match nothing but themselves
_CLASS: Final = re.compile(r"\[!?\]?[^\]]*\]")  # as fnmatch reads it: `]` at the beginning is a member
_PLACEHOLDERS: Final = frozenset({"{account}", "{region}"})


def _placed(name: str) -> str:
    """Refuse a placeholder that nothing fills, by which a slip of the pen would name what cannot exist."""
    unknown = sorted(set(re.findall(r"\{[^}]*\}?", name)) - _PLACEHOLDERS)
    if unknown:
        raise ValueError(
            f"nothing fills {', '.join(unknown)} in {name!r}; give one of {', '.join(sorted(_PLACEHOLDERS))}"
        )
    return name


Name = Annotated[str, AfterValidator(_placed)]


def fill(value: Any, place: Place) -> Any:
    """Return a value of a profile with the placeholders filled, in all that it holds."""
    if isinstance(value, str):
        return value.replace("{account}", place.account).replace("{region}", place.region)
    if isinstance(value, Mapping):
        return {key: fill(item, place) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(fill(item, place) for item in value)
    return value


class Selector(BaseModel):
    """What a rule of a profile is about: exactly one of a name, a pattern and a tag.

    Attributes:
        name: A resource that must exist; its absence is a finding.
        pattern: Of names, with `*`, `?` and `[...]`; whatever matches. A topic's is the last part of its ARN, a key's
            its id and its aliases.
        tag: Key and value; whatever carries it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = None
    pattern: str | None = None
    tag: dict[str, str] | None = None

    def __str__(self) -> str:
        if self.tag is not None:
            return "the tag " + "".join(f"{key}={value}" for key, value in self.tag.items())
        return f"the pattern {self.pattern}" if self.name is None else f"the name {self.name}"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [field for field in ("name", "pattern", "tag") if getattr(self, field) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of name, pattern and tag, not {', '.join(given) or 'none'}")
        if self.tag is not None and len(self.tag) != 1:
            raise ValueError("give one key and its value as the tag")
        return self

    @field_validator("pattern")
    @classmethod
    def _is_narrow(cls, pattern: str | None) -> str | None:
        """Refuse a pattern that matches everything, by which a slip of the pen would put an account in scope."""
        if pattern is None:
            return None
        if pattern.startswith("arn:"):
            raise ValueError(
                f"the pattern {pattern!r} is of ARNs, and is compared with names: leave out what is before"
            )
        if sum(character not in "*?" for character in _CLASS.sub("", pattern)) < _LEAST_LITERAL:
            raise ValueError(
                f"the pattern {pattern!r} matches too much: give at least {_LEAST_LITERAL} literal characters outside "
                "of [...]"
            )
        return pattern

    def matches(
        self, resource: Resource, tags: Mapping[str, str] | None, aliases: Collection[str] = frozenset()
    ) -> bool:
        """Return whether a resource is meant.

        Args:
            resource: By its plain name.
            tags: Of it; None where they are not known.
            aliases: What else it is called.
        """
        names = {resource.name, *aliases}
        if self.name is not None:
            return fill(self.name, resource.place) in {*names, resource.arn}
        if self.pattern is not None:
            return any(fnmatch.fnmatchcase(name, self.pattern) for name in names)
        return tags is not None and all(tags.get(key) == value for key, value in (self.tag or {}).items())
