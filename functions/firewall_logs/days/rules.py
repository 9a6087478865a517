"""Quality rules: data that says which figure of a feed's day is worth a warning, and which blocks its seal."""

from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, TypeAdapter, ValidationInfo, field_validator, model_validator

from firewall_logs.days.measures import KNOWN_VALUES, MEASURES
from firewall_logs.documents import parse_list
from firewall_logs.errors import RulesInvalid
from kernel.contracts import Contract

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Figure = Annotated[float, Field(allow_inf_nan=False)]


class Limits(Contract):
    """Between which figures all is well.

    Attributes:
        above: A larger figure breaks the rule.
        below: A smaller one does.
    """

    above: Figure | None = None
    below: Figure | None = None

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("give 'above', 'below' or both")
        if self.above is not None and self.below is not None and self.below > self.above:
            raise ValueError("no figure is good: 'below' is more than 'above'")
        return self

    def broken_by(self, figure: float) -> float | None:
        """Return the limit that a figure breaks, or None."""
        if self.above is not None and figure > self.above:
            return self.above
        if self.below is not None and figure < self.below:
            return self.below
        return None

    def nearest(self, figure: float) -> float:
        """Return the limit that a figure would break first."""
        return min((limit for limit in (self.above, self.below) if limit is not None), key=lambda it: abs(it - figure))


class Rule(Contract):
    """One rule. Without `warn` and `fail` it is measured and passes.

    Attributes:
        name: What verdicts and waivers call it.
        measure: What is measured, a name of `measures.MEASURES`.
        feeds: Which feeds it is about; default: all.
        column: Of the events table, where the measure is about one.
        values: Where the measure is about some; compared in lower case.
        warn: Beyond these limits the day is sealed, and says so.
        fail: Beyond these the day is not sealed.
        why: What a broken limit means, for whoever has to decide about a waiver.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
    measure: str
    feeds: Annotated[list[str], Field(min_length=1)] | None = None
    column: Annotated[str | None, Field(validate_default=True)] = None
    values: Annotated[list[str] | None, Field(min_length=1, validate_default=True)] = None
    warn: Limits | None = None
    fail: Limits | None = None
    why: Annotated[str, Field(min_length=1)]

    @field_validator("measure")
    @classmethod
    def _is_known(cls, measure: str) -> str:
        if measure not in MEASURES:
            raise ValueError(f"there is no measure '{measure}'. The measures are: {', '.join(sorted(MEASURES))}")
        return measure

    @field_validator("column")
    @classmethod
    def _fits(cls, column: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("measure")
        if name is None:
            return column
        measure = MEASURES[name]
        if measure.column is None and column is not None:
            raise ValueError(f"'{name}' is about no column")
        if measure.column is not None and column is None:
            raise ValueError(f"'{name}' needs a column")
        if column is not None and not measure.fits(column):
            kind = "" if measure.column == "any" else f"{measure.column} "
            raise ValueError(f"the events table has no {kind}column '{column}'")
        return column

    @field_validator("values")
    @classmethod
    def _are_wanted(cls, values: list[str] | None, info: ValidationInfo) -> list[str] | None:
        name = info.data.get("measure")
        if name is None:
            return values
        wanted = MEASURES[name].values
        if wanted == "none" and values is not None:
            raise ValueError(f"'{name}' is about no values")
        if wanted == "required" and values is None:
            raise ValueError(f"'{name}' needs values")
        return values

    @field_validator("warn", "fail")
    @classmethod
    def _are_shares(cls, limits: Limits | None, info: ValidationInfo) -> Limits | None:
        name = info.data.get("measure")
        if limits is not None and name is not None and MEASURES[name].unit == "share":
            for limit in (limits.above, limits.below):
                if limit is not None and not 0 <= limit <= 1:
                    raise ValueError(f"'{name}' is a share, from 0 to 1, which is never beyond {limit:g}")
        return limits

    @field_validator("fail")
    @classmethod
    def _leaves_warn_a_chance(cls, fail: Limits | None, info: ValidationInfo) -> Limits | None:
        warn = info.data.get("warn")
        if fail is None or warn is None:
            return fail
        for side, sign in (("above", 1), ("below", -1)):
            failing, warning = getattr(fail, side), getattr(warn, side)
            if failing is not None and warning is not None and sign * failing <= sign * warning:
                raise ValueError(f"{side} {failing:g} fails before {side} {warning:g} can warn")
        return fail

    @property
    def known_values(self) -> frozenset[str]:
        """The values it is about, in lower case: its own, else those that the column's documentation knows."""
        if self.values is not None:
            return frozenset(value.lower() for value in self.values)
        return KNOWN_VALUES.get(self.column or "", frozenset())


_RULES: Final[TypeAdapter[list[Rule]]] = TypeAdapter(list[Rule])


class Rules:
    """The rules that are shipped, and those of a document that override them or add to them.

    A rule of the document replaces the shipped one of its name, for the feeds that it names or for all. Of two rules
    of one name, that which names the feed counts.

    Raises:
        RulesInvalid: The document is no JSON list, a field is wrong (the sentence names rule and field), a rule names
            a feed that there is not, or two rules of one name are about one feed.
    """

    def __init__(self, document: str, feeds: "Collection[str]") -> None:
        own = parse_list(document, _RULES, "quality rule", RulesInvalid)
        _refuse_strangers(own, feeds)
        _refuse_doubles(own)
        # The later counts.
        self._rules = [*shipped(), *sorted(own, key=lambda rule: rule.feeds is not None)]

    def of(self, feed: str) -> list[Rule]:
        """Return the rules about a feed, by name."""
        found = {rule.name: rule for rule in self._rules if rule.feeds is None or feed in rule.feeds}
        return [found[name] for name in sorted(found)]


@cache
def shipped() -> tuple[Rule, ...]:
    """Return the rules of `rules.json`, which are about all feeds."""
    document = files("firewall_logs.days").joinpath("rules.json").read_text("utf-8")
    return tuple(parse_list(document, _RULES, "quality rule", RulesInvalid))


def _refuse_strangers(rules: "Iterable[Rule]", feeds: "Collection[str]") -> None:
    for rule in rules:
        for feed in rule.feeds or ():
            if feed not in feeds:
                raise RulesInvalid(
                    f"The quality rules are not valid: field 'feeds' of quality rule '{rule.name}': there is no feed "
                    f"'{feed}'. The feeds are: {', '.join(sorted(feeds))}."
                )


def _refuse_doubles(rules: "Iterable[Rule]") -> None:
    for one, other in combinations(rules, 2):
        if one.name != other.name or (one.feeds is None) != (other.feeds is None):
            continue
        both = set(one.feeds or ()) & set(other.feeds or ())
        if one.feeds is None or both:
            about = f"feed '{min(both)}'" if both else "all feeds"
            raise RulesInvalid(
                f"The quality rules are not valid: field 'name' of quality rule '{one.name}': two rules have this name "
                f"and are about {about}. Give one of them another name or other feeds."
            )
