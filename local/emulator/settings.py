"""What the supervisor tells the server through its environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerSettings:
    """Where the server finds its surroundings.

    Attributes:
        endpoint: The server itself, as functions and containers reach it.
        root: The repository.
        runtime_python: The interpreter of Lambda functions.
        container_python: The interpreter of containers.
        unpacked: Folder of unpacked archives.
        rds: The log API of RDS, as functions reach it; empty if there is none.
        clock: File with the seconds that functions are ahead of the machine's time; empty if they have just that.
        leashed: Whether to end as soon as standard input does, which is when the starter is gone.
    """

    endpoint: str
    region: str
    root: Path
    runtime_python: Path
    container_python: Path
    unpacked: Path
    rds: str
    clock: str
    leashed: bool

    def variables(self) -> dict[str, str]:
        """Return the settings as environment variables."""
        return {f"GATEHOUSE_{name.upper()}": str(value) for name, value in vars(self).items()}

    @classmethod
    def from_environment(cls) -> "ServerSettings":
        """Read the settings back."""
        given = {name: os.environ[f"GATEHOUSE_{name.upper()}"] for name in cls.__dataclass_fields__}
        return cls(
            endpoint=given["endpoint"],
            region=given["region"],
            root=Path(given["root"]),
            runtime_python=Path(given["runtime_python"]),
            container_python=Path(given["container_python"]),
            unpacked=Path(given["unpacked"]),
            rds=given["rds"],
            clock=given["clock"],
            leashed=given["leashed"] == "True",
        )
