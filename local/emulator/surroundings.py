"""What functions see that is neither of AWS nor of the embedded cloud: a log API of RDS, a clock, names of hosts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Surroundings:
    """What stands beside the cloud.

    Attributes:
        rds: Endpoint of the log API of RDS; empty if there is none.
        clock: File with the seconds that functions are ahead of the machine's time; empty if they have just that.
        root: The repository.
    """

    rds: str
    clock: str
    root: Path

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables."""
        given = {"AWS_ENDPOINT_URL_RDS": self.rds, "GATEHOUSE_CLOCK": self.clock}
        return {name: value for name, value in given.items() if value}

    @property
    def modules(self) -> list[Path]:
        """Folders at the end of the import path."""
        return [self.root / "local/function_site"]
