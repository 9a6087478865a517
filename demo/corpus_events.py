"""Events: when they happen, and which rows of the corpus's tables they refer to."""

import math
from dataclasses import dataclass
from typing import Final

import polars as pl

from demo.corpus_chance import Chance, steps
from demo.corpus_tables import Corpus
from demo.corpus_words import STAGES, TARGETS

# Days of the past, so that no event is later than its object, and fixed, so that a seed gives the same bytes for ever.
FIRST_DAY: Final = 1_780_272_000  # 2026-06-01T00:00:00Z
DAY: Final = 86_400
DAYS: Final = 2
_BIN: Final = 300
_NS: Final = 10**9

_SOLVED_MARK = "solved"
_EARLIER_SHARE = 0.11
_LATE_SHARE = 0.004
_HEX = 65_536

TABLES: Final = ("matches", "outcomes", "targets", "clients", "hosts", "referers", "connections", "colos", "bodies")


@dataclass(frozen=True)
class Burst:
    """An attack: it begins at once, and ebbs.

    Attributes:
        start: Seconds after `FIRST_DAY`.
        seconds: How long it lasts.
        share: Of all requests.
    """

    start: int
    seconds: int
    share: float


def arrivals(chance: Chance, count: int, burst: Burst | None) -> pl.DataFrame:
    """Return `count` requests in order: `arrived` (ns since the epoch) and whether they are the attack's (`burst`)."""
    attack = int(count * burst.share) if burst else 0
    parts = [
        pl.DataFrame({"arrived": _within(chance, count - attack, "calm", _curve(chance), 0)}).with_columns(burst=False)
    ]
    if burst:
        ebb = [math.exp(-3 * at * _BIN / burst.seconds) + 0.15 for at in range(max(1, burst.seconds // _BIN))]
        times = _within(chance, attack, "attack", pl.Series(ebb), burst.start)
        parts.append(pl.DataFrame({"arrived": times}).with_columns(burst=True))
    return pl.concat(parts).sort("arrived", "burst")


def _curve(chance: Chance) -> pl.Series:
    """Return the weight of each five minutes: low at 03:00 UTC, a shoulder at noon, high at 19:00, never smooth."""
    at = pl.int_range(DAYS * DAY // _BIN, eager=True)
    noise = chance.uniform(at, "noise")
    hours = (at * _BIN / 3600 % 24).to_list()
    base = [
        1.0 + 0.62 * math.sin((hour - 9.5) / 24 * 2 * math.pi) + 0.18 * math.sin((hour - 6) / 12 * 2 * math.pi)
        for hour in hours
    ]
    return pl.Series(base) * (0.92 + 0.16 * noise)


def _within(chance: Chance, count: int, purpose: str, weights: pl.Series, start: int) -> pl.Series:
    at = pl.int_range(count, eager=True)
    five_minutes = chance.pick(at, purpose, steps(weights)).cast(pl.Int64)
    nanoseconds = (chance.bits(at, purpose + " ns") % (_BIN * _NS)).cast(pl.Int64)
    return (FIRST_DAY + start) * _NS + five_minutes * (_BIN * _NS) + nanoseconds


def events(corpus: Corpus, chance: Chance, requests: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """Return one event a row of `requests`, in the order in which a log would have them.

    A share of the rows becomes earlier matches of the request before them, which is how one RayID has several events.

    Args:
        corpus: What the events refer to.
        chance: Where they come from.
        requests: Columns of `arrivals`.
        first: Position of the first row among all that this chance is asked for.

    Returns:
        `arrived`, `time` (both ns; the time of some is hours earlier, on the day before), `MatchIndex`, `RayID`,
        `OriginatorRayID`, and for each of `TABLES` the index of a row of it.
    """
    slots = pl.int_range(first, first + requests.height, eager=True)
    begins = (chance.uniform(slots, "earlier") >= _EARLIER_SHARE) | (slots == first)
    request = begins.cum_sum().cast(pl.Int64) - 1
    heads = begins.arg_true()
    decided = _decide(corpus, chance, requests[heads], slots.gather(heads))
    frame = decided[request]
    match_index = (slots - slots.gather(heads).gather(request)).alias("MatchIndex")
    earlier = chance.pick(
        slots,
        "earlier match",
        corpus.matches.steps,
        pl.repeat(STAGES.index("earlier"), slots.len(), eager=True),
    )
    frame = frame.with_columns(match_index).with_columns(
        matches=pl.when(pl.col("MatchIndex") == 0).then("matches").otherwise(earlier)
    )
    # a log is nearly in order: requests are logged when they end, some seconds after they began
    return frame.sort(pl.col("arrived") + chance.bits(request, "logged") % (7 * _NS), maintain_order=True)


def _decide(corpus: Corpus, chance: Chance, requests: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    burst = requests["burst"].cast(pl.UInt32)
    matches = chance.pick(at, "match", corpus.matches.steps, burst * STAGES.index("burst"))
    target = corpus.matches.rows["target"].gather(matches)
    solved = corpus.matches.rows["Action"].str.contains(_SOLVED_MARK).gather(matches)
    sign_in = (target == TARGETS.index("login")).cast(pl.UInt32)
    arrived = requests["arrived"]
    second_day = (FIRST_DAY + DAY) * _NS
    late = (arrived >= second_day) & (chance.uniform(at, "late") < _LATE_SHARE)
    before = second_day - 1 - (chance.bits(at, "how late") % (4 * 3600 * _NS)).cast(pl.Int64)
    return pl.DataFrame(
        {
            "arrived": arrived,
            "time": before.zip_with(late, arrived),
            "RayID": _rays(chance, at, arrived, "ray"),
            "OriginatorRayID": _rays(chance, at, arrived - 30 * _NS, "originator").zip_with(
                solved, pl.repeat("00", at.len(), eager=True)
            ),
            "matches": matches,
            "outcomes": matches,
            "targets": chance.pick(at, "target", corpus.targets.steps, target),
            "clients": chance.pick(at, "client", corpus.clients.steps, burst),
            "hosts": chance.pick(at, "host", corpus.hosts.steps),
            "referers": chance.pick(at, "referer", corpus.referers.steps),
            "connections": chance.pick(at, "connection", corpus.connections.steps),
            "colos": chance.pick(at, "colo", corpus.colos.steps),
            "bodies": chance.pick(at, "body", corpus.bodies.steps, sign_in),
        }
    )


def _rays(chance: Chance, at: pl.Series, time: pl.Series, purpose: str) -> pl.Series:
    """Return 16 hex digits, of which the first six grow with time as a RayID's do."""
    bits = chance.bits(at, purpose)
    minute = time // (60 * _NS)
    digits = pl.Series([f"{n:04x}" for n in range(_HEX)])
    return (
        pl.DataFrame(
            {
                "a": digits.gather((minute // 256 + 0xDD00) % _HEX),
                "b": digits.gather((minute % 256 * 256).cast(pl.UInt64) + bits // 2**56),
                "c": digits.gather((bits // 2**16 % _HEX).cast(pl.UInt32)),
                "d": digits.gather((bits % _HEX).cast(pl.UInt32)),
            }
        )
        .select(pl.concat_str("a", "b", "c", "d"))
        .to_series()
    )


def columns(corpus: Corpus, frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return the columns `names` of events; one that no table has must be a column of `frame` itself."""
    found: dict[str, pl.Series] = {}
    for table in TABLES:
        rows: pl.DataFrame = getattr(corpus, table).rows
        index = frame[table]
        found |= {name: rows[name].gather(index) for name in names if name in rows.columns}
    found |= {name: frame[name] for name in names if name in frame.columns}
    return pl.DataFrame({name: found[name] for name in names})
