"""How much a test tries of what it makes up: `make test` a part, `make test-thorough` all of it.

That goes for examples of Hypothesis, for seeds of chance, and for moments at which work dies, where another test lets
it die at each of them and go on in another way. Everything that a test names is always tried.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

THOROUGH = os.environ.get("GATEHOUSE_TESTS") == "thorough"

_EXAMPLES = 3
# Units of work have three effects, or four: every fifth moment is another of theirs each time.
_POINTS = 5

T = TypeVar("T")


def examples(thorough: int) -> int:
    """Return how many examples Hypothesis tries, of these."""
    return thorough if THOROUGH else -(-thorough // _EXAMPLES)


def spread(points: Sequence[T]) -> Sequence[T]:
    """Return points to try: all, or the first, the last and evenly spread ones between."""
    if THOROUGH or not points:
        return points
    return [*points[:-1:_POINTS], points[-1]]
