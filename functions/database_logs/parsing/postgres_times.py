"""Times of PostgreSQL's logs: local to log_timezone, with an abbreviation that only sometimes says how far from UTC."""

from typing import Final

import polars as pl

from database_logs.parsing.times import INSTANT, zone_exists

_UTC: Final = ("UTC", "GMT", "Z")
_OFFSET: Final = r"^([+-])([0-9]{2})([0-9]{2})?$"


def instants(stamps: pl.Series, zones: pl.Series, time_zone: str) -> pl.Series:
    """Return instants (Datetime in microseconds, UTC), null where they cannot be known.

    UTC, GMT and numeric offsets are taken as they are. Any other abbreviation is one of `time_zone` at that time, or
    nothing is known: abbreviations are ambiguous (PostgreSQL manual, "Date/Time Configuration Files").

    Args:
        stamps: `YYYY-MM-DD HH:MM:SS`, or with a fraction.
        zones: Abbreviations or offsets as `+0530` or `-03`.
        time_zone: IANA name of the zone that abbreviations are taken from; nothing is known of an abbreviation if there
            is no such zone.
    """
    local = stamps.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    known = set(zones.unique().drop_nulls())
    if known <= set(_UTC):
        return local.dt.replace_time_zone("UTC")
    abbreviated = [_abbreviated(which, time_zone) for which in ("earliest", "latest") if zone_exists(time_zone)]
    return (
        pl.DataFrame({"local": local, "zone": zones})
        .select(
            pl.when(pl.col("zone").is_in(_UTC))
            .then(pl.col("local").dt.replace_time_zone("UTC"))
            .when(pl.col("zone").str.contains(_OFFSET))
            .then((pl.col("local") - _east(pl.col("zone"))).dt.replace_time_zone("UTC"))
            .otherwise(pl.coalesce(*abbreviated, pl.lit(None, INSTANT)))
        )
        .to_series()
    )


def _east(zone: pl.Expr) -> pl.Expr:
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    hours = zone.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = zone.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    return pl.duration(minutes=sign * (hours * 60 + minutes))


def _abbreviated(ambiguous: str, time_zone: str) -> pl.Expr:
    """Return the instant if the zone then had the abbreviation, else null."""
    zoned = pl.col("local").dt.replace_time_zone(time_zone, ambiguous=pl.lit(ambiguous), non_existent="null")
    return pl.when(zoned.dt.strftime("%Z") == pl.col("zone")).then(zoned.dt.convert_time_zone("UTC"))
