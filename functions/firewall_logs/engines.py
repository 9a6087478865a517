"""Which machine works on a slice: a function, or a task on Fargate. Pure."""

from dataclasses import dataclass
from typing import Literal

from firewall_logs import planning
from firewall_logs.contracts import Slice


@dataclass(frozen=True)
class Engines:
    """What a run may use.

    Attributes:
        heavy_bytes: Decoded bytes, by estimate, above which a slice goes to Fargate.
        task_memory_mb: Memory of a task on Fargate; 0 where the stack has none.
        wanted: "auto" tells slices apart by their weight, the others send all of them to one.
    """

    heavy_bytes: int
    task_memory_mb: int
    wanted: Literal["auto", "lambda", "batch"] = "auto"

    def of(self, piece: Slice) -> Literal["lambda", "batch"] | None:
        """Return where a slice is to be worked on; None where nothing that the run may use can hold it."""
        fits_function = planning.fits(piece, planning.FUNCTION_MB)
        if not self.task_memory_mb or self.wanted == "lambda":
            return "lambda" if fits_function else None
        if not planning.fits(piece, self.task_memory_mb):
            return None
        heavy = not fits_function or planning.decoded_bytes(piece) > self.heavy_bytes
        return "batch" if heavy or self.wanted == "batch" else "lambda"

    def refusal(self, piece: Slice) -> str:
        """Return why nothing can hold a slice, and what to do."""
        what = (
            f"{piece.source.size} bytes of gzip are"
            if piece.row_group_bytes is None
            else f"a row group of {piece.row_group_bytes} bytes is"
        )
        if not self.task_memory_mb:
            return f"{what} too large for a function: deploy with FirewallLogsBatch=enabled, and Fargate takes it"
        if self.wanted == "lambda":
            return f"{what} too large for a function: start the run with the engine 'auto', and Fargate takes it"
        return (
            f"{what} too large for a task of {self.task_memory_mb} MB: raise FirewallLogsBatchCpu, or have the source "
            "write smaller objects"
        )
