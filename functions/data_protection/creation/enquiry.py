"""What must be read to make resources of a request, or to compare them."""

from collections.abc import Iterable, Sequence

from data_protection.collection import Question, Questions
from data_protection.creation.reads import KEY_TAGS
from data_protection.creation.recipes import RECIPES
from data_protection.creation.requests import Wish, profile_of
from data_protection.inventory import Readings
from data_protection.readings import Found, Missing, Read, Reading
from data_protection.reads.kms import KEY
from data_protection.reads.listings import KEYS
from data_protection.resources import Kind, Place, Resource, account_of, named


class Enquiry(Questions):
    """The calls of one look at some resources of a request.

    Args:
        place: Where they are.
        some: The resources.
    """

    def __init__(self, place: Place, some: Sequence[Wish]) -> None:
        super().__init__(place, profile_of("creation", some))
        self._wishes = some

    def inventory(self) -> list[Question]:
        """Return nothing: a request names all that it is about."""
        return []

    def begin(self, readings: Readings) -> list[Question]:
        """Return the calls about the resources."""
        asked = super().begin(readings)
        recipes = [RECIPES[wish.resource.kind] for wish in self._wishes]
        self._further |= {read for recipe in recipes for read in recipe.further}
        return [*asked, *(question for wish in self._wishes for question in self._about(wish))]

    def follow(self, question: Question, reading: Reading) -> list[Question]:
        """Return the calls that an answer leads to; a key without its alias is looked for among all."""
        if question.read == KEY and isinstance(reading, Missing) and self._makes(question.resource):
            return list(self._new(account_of(self.place), (KEYS,)))
        if question.read == KEYS and isinstance(reading, Found):
            keys = (named(Kind.KEY, self.place, key["KeyArn"]) for key in reading.answer["Keys"])
            return [tags for key in keys for tags in self._new(key, (KEY_TAGS,))]
        return super().follow(question, reading)

    def _about(self, wish: Wish) -> Iterable[Question]:
        recipe = RECIPES[wish.resource.kind]
        yield from self._new(wish.resource, recipe.reads)
        named: Iterable[tuple[Resource, Read]] = recipe.names(wish.resource, wish.wanted)
        for other, read in named:
            yield from self._new(other, (read,))

    def _makes(self, key: Resource) -> bool:
        return key.kind is Kind.KEY and any(wish.resource == key for wish in self._wishes)
