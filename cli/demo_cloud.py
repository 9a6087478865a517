"""The embedded cloud of a demo: made afresh, and stopped at its end unless it is to be looked at."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.demo_board import Running
    from local.supervisor import EmbeddedCloud

Keep = Annotated[bool, typer.Option("--keep", help="Leave the embedded cloud running, to look around.")]


def start_cloud(
    stage: "Running", stack: ExitStack, name: str, *, keep: bool, rds: str = "", clock: Path | None = None
) -> "EmbeddedCloud":
    """Return a new embedded cloud; it ends with the stack, unless it is kept.

    Args:
        stage: Is told of an earlier demo's that is stopped.
        stack: What ends with the demo.
        name: Of the cloud.
        keep: Whether it outlives the demo.
        rds: Endpoint of the log API of RDS, if there is one.
        clock: File with the functions' time, if they have their own.
    """
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415 - heavy

    if left := EmbeddedCloud.find(name):
        stage.note(f"the embedded cloud of an earlier demo, on port {left.state.port}, is stopped")
        left.stop()
    cloud = EmbeddedCloud.start(name, detached=keep, rds=rds, clock=clock)
    if not keep:
        stack.callback(cloud.stop)
    return cloud
