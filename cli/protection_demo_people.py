"""Who the demo has: one asks for changes, two approve them, and one does what the standard forbids."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cli.target import Target
    from local.supervisor import EmbeddedCloud

ASKS: Final = "alice"
APPROVES: Final = ("bob", "carol")
MEDDLES: Final = "dave"


@dataclass(frozen=True)
class Person:
    """A user of the account.

    Attributes:
        arn: As STS names them.
        target: Gatehouse, by their own key.
    """

    arn: str
    target: "Target"

    @property
    def client(self) -> Callable[[str], Any]:
        """Makes a client of a service, with their key."""
        return self.target.client


def people(cloud: "EmbeddedCloud") -> dict[str, Person]:
    """Make the users, who may do anything, and return them by name."""
    from cli.target import LOCAL, Target  # noqa: PLC0415 - heavy

    targets = {name: Target.of(LOCAL, cloud.state.name, name) for name in (ASKS, *APPROVES, MEDDLES)}
    return {name: Person(target.client("sts").get_caller_identity()["Arn"], target) for name, target in targets.items()}
