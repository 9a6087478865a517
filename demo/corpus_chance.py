"""Chance that is a function: the same seed, purpose and position give the same number, however much is drawn."""

from random import Random
from zlib import crc32

import polars as pl


class Chance:
    """Draws by hashing positions, so that a value depends on no other draw and whole columns come at once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def bits(self, position: pl.Series, purpose: str) -> pl.Series:
        """Return 64 random bits (u64) for each position (an integer)."""
        return position.hash(crc32(f"{self._seed} {purpose}".encode()))

    def uniform(self, position: pl.Series, purpose: str) -> pl.Series:
        """Return a number in [0, 1) for each position."""
        return (self.bits(position, purpose) // 2**11).cast(pl.Float64) * 2.0**-53

    def pick(self, position: pl.Series, purpose: str, steps: pl.Series, group: pl.Series | None = None) -> pl.Series:
        """Return for each position an index into the table of `steps`, within its group if groups are given."""
        drawn = self.uniform(position, purpose)
        if group is not None:
            drawn = drawn + group
        # rounding may leave the last step a hair below its group's end
        return steps.search_sorted(drawn, side="right").clip(upper_bound=steps.len() - 1)


def seeded(*parts: object) -> Random:
    """Return a source of chance for what is made piece by piece; equal parts, equal choices."""
    return Random(" ".join(map(str, parts)))  # noqa: S311 - it must be repeatable, and guards nothing


def steps(weights: pl.Series) -> pl.Series:
    """Return the cumulative shares of `weights`, for `Chance.pick`."""
    running = weights.cum_sum()
    return running / running.max()


def zipf(count: int, exponent: float = 1.05, offset: float = 3.0) -> pl.Series:
    """Return the cumulative shares of `count` things by rank: the r-th has weight 1 / (r + offset) ** exponent."""
    return steps(1.0 / (pl.int_range(count, eager=True).cast(pl.Float64) + offset) ** exponent)


def grouped_steps(weights: pl.Series, group: pl.Series) -> pl.Series:
    """Return steps of which group g takes [g, g + 1); the table must be ordered by group and have every group."""
    shares = pl.col("weight").cum_sum().over("group") / pl.col("weight").sum().over("group")
    table = pl.DataFrame({"weight": weights.cast(pl.Float64), "group": group})
    return table.select(shares + pl.col("group")).to_series()
