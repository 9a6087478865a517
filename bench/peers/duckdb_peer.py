"""The same job in DuckDB, as fast as its author could make it: two phases by row id.

First the narrow columns decide which rows stay and in which order. Then, day by day, the order is probed against the
day's wide rows, so that those are gathered rather than sorted: sorting them took 13 CPU s by itself, and sorting them
as enums still 1.8 s more in all than this. What is derived is derived once per distinct value.
"""

# ruff: noqa: S608 - the statements are made of this benchmark's own paths and constants

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from common import (
    BUCKET,
    DERIVED,
    EARLIEST_NS,
    ENUMS,
    FEED,
    FIELDS,
    HOURLY_KEYS,
    KEY,
    LATEST_NS,
    OBJECT_ID,
    RANGES,
    ROW_GROUP,
    UNIX_HIGH,
    UNIX_LOW,
    ZONE,
    ZSTD_LEVEL,
    canonical,
    contend,
    ip_version,
    registered_domain,
    row_json,
)
from publicsuffixlist import PublicSuffixList

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_TYPES = {"string": "varchar", "json": "varchar", "int64": "bigint", "strings": "varchar[]", "int64s": "bigint[]"}
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TEMPLATE = rf"""
    case when regexp_matches(p, '[0-9]|[0-9A-Fa-f]{{16}}') then array_to_string(list_transform(string_split(p, '/'),
        lambda s: case
            when regexp_full_match(s, '[0-9]+') then '{{n}}'
            when regexp_full_match(s, '{_UUID}') then '{{uuid}}'
            when regexp_full_match(s, '[0-9a-fA-F]{{16,}}') then '{{hex}}'
            when regexp_full_match(s, '[A-Za-z0-9_-]{{20,}}') and regexp_matches(s, '[A-Za-z]')
                and regexp_matches(s, '[0-9]') then '{{token}}'
            else s end), '/')
    else p end"""
_WRITER = f"(format parquet, compression zstd, compression_level {ZSTD_LEVEL}, row_group_size {ROW_GROUP})"
_DAY_NS = 86_400 * 10**9


def work(raw: Path, out: Path) -> dict[str, Any]:
    """Read, judge, drop duplicates, derive, sort and write."""
    con = duckdb.connect(config={"threads": 1})
    # the probe side must be the ordered one, whatever the estimates say
    con.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    source = f"read_parquet('{raw}', file_row_number = true)"
    present = [row[0] for row in con.execute(f"describe select * from '{raw}'").fetchall()]
    _tables_by_value(con, source)
    _judge(con, source)
    rows_in = con.execute("select count(*) from judged").fetchone()[0]
    _find_duplicates(con, source, present)
    con.execute(
        """create temp table kept as
        select day, r, ns from judged left join host_rank on host_rank.host = judged.host
        where reason is null and r not in (select r from repeated)
        order by day, host_rank.rank nulls first, ns, r"""
    )
    days = con.execute("select day, count(*) from kept group by day order by day").fetchall()
    for day, _ in days:
        _write_day(con, source, present, day, out)
    quarantined = _write_quarantine(con, source, out)
    return {
        "rows_in": rows_in,
        "rows_out": sum(rows for _, rows in days),
        "quarantined": quarantined,
        "duplicates": con.execute("select count(*) from repeated").fetchone()[0],
        "unseen_values": _unseen(con, raw),
    }


def _tables_by_value(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make a table of each rule on text, by distinct text."""
    con.execute(
        f"""create temp table addresses as
        select ip, case when regexp_full_match(ip, '{_V4}') then 4 end::tinyint as version
        from (select distinct ClientIP as ip from {source} where ClientIP is not null)"""
    )
    others = [ip for (ip,) in con.execute("select ip from addresses where version is null").fetchall()]
    _values(con, "others", "ip varchar, version tinyint", [(ip, ip_version(ip)) for ip in others])
    con.execute("update addresses set version = others.version from others where others.ip = addresses.ip")

    suffixes = PublicSuffixList()
    hosts = sorted(
        host
        for (host,) in con.execute(f"select distinct ClientRequestHost from {source}").fetchall()
        if host is not None
    )
    ranked = [(host, rank, registered_domain(suffixes, host)) for rank, host in enumerate(hosts)]
    _values(con, "host_rank", "host varchar, rank integer, domain varchar", ranked)
    con.execute(
        f"""create temp table paths as select p, {_TEMPLATE} as template
        from (select distinct ClientRequestPath as p from {source})"""
    )
    texts = [text for (text,) in con.execute(f"select distinct Metadata from {source}").fetchall() if text is not None]
    _values(con, "metadata", "text varchar, canonical varchar", [(text, canonical(text)) for text in texts])


def _values(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    names, types = zip(*(column.split(" ") for column in columns.split(", ")), strict=True)
    unnested = ", ".join(
        f"unnest(${at}::{kind}[]) as {column}" for at, (column, kind) in enumerate(zip(names, types, strict=True), 1)
    )
    lists = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    con.execute(f"create temp table {name} as select {unnested}", lists)


def _judge(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Give every row its instant in ns and the first reason against it."""
    units = " ".join(
        f"when Datetime >= {UNIX_LOW * unit} and Datetime < {UNIX_HIGH * unit} then Datetime * {10**9 // unit}"
        for unit in (10**9, 10**6, 10**3, 1)
    )
    ranges = " or ".join(f"{name} not between 0 and {high}" for name, high in RANGES)
    fields = " ".join(f"when {name} not between 0 and {high} then '{name}'" for name, high in RANGES)
    con.execute(
        f"""create temp table judged as
        select r, host, Datetime as stated, ns, (ns // {_DAY_NS})::integer as day,
            case when Datetime is null then 'time_missing'
                when ns is null then 'time_unit'
                when ns < {EARLIEST_NS} or ns > {LATEST_NS} then 'time_implausible'
                when {ranges} then 'out_of_range'
                when ClientIP is not null and version is null then 'ip_invalid' end as reason,
            case reason when 'out_of_range' then case {fields} end
                when 'ip_invalid' then 'ClientIP' else 'Datetime' end as field
        from (select file_row_number as r, ClientRequestHost as host, case {units} end as ns, Datetime, ClientIP,
                {", ".join(name for name, _ in RANGES)} from {source})
            left join addresses on ip = ClientIP"""
    )


def _find_duplicates(con: duckdb.DuckDBPyConnection, source: str, present: list[str]) -> None:
    """Compare in full only what agrees in the hash of three columns."""
    con.execute(
        f"""create temp table suspects as select unnest(list(r)) as r
        from (select file_row_number as r, hash(RayID, Datetime, MatchIndex) as h from {source})
        group by h having count(*) > 1"""
    )
    # Datetime stands for the instant: the whole column is of one unit or the row is refused
    content = ", ".join("metadata.canonical" if name == "Metadata" else f'"{name}"' for name in present)
    con.execute(
        f"""create temp table repeated as select file_row_number as r
        from (select * from {source} where file_row_number in (select r from suspects)
            and file_row_number not in (select r from judged where reason is not null))
            left join metadata on metadata.text = Metadata
        qualify row_number() over (partition by {content} order by file_row_number) > 1"""
    )


def _write_day(con: duckdb.DuckDBPyConnection, source: str, present: list[str], day: int, out: Path) -> None:
    event_date = datetime.fromtimestamp(day * 86_400, UTC).date()
    path = _made(out / "events" / f"event_date={event_date}" / "data.parquet")
    columns = []
    for raw_name, lake_name, kind in FIELDS:
        if kind == "time":
            columns.append("make_timestamptz(kept.ns // 1000) as event_time")
            columns.append("(kept.ns % 1000)::smallint as event_time_ns")
        elif raw_name == "Metadata":
            columns.append("metadata.canonical as metadata")
        elif raw_name in present:
            columns.append(f'wide."{raw_name}" as {lake_name}')
        else:
            columns.append(f"null::{_TYPES[kind]} as {lake_name}")
    derived = {
        "event_hour": f"(kept.ns // {3600 * 10**9} % 24)::tinyint",
        "registered_domain": "host_rank.domain",
        "ip_version": "addresses.version",
        "path_template": "paths.template",
        "feed": f"'{FEED}'",
        "zone": f"'{ZONE}'",
        "extra": "null::varchar",
    }
    columns += [f"{derived[name]} as {name}" for name in DERIVED]
    con.execute(
        f"""copy (select {", ".join(columns)}
        from (select r, ns from kept where day = {day}) kept
            left join {_day_rows(con, source, day)} wide on wide.file_row_number = kept.r
            left join host_rank on host_rank.host = wide.ClientRequestHost
            left join addresses on addresses.ip = wide.ClientIP
            left join paths on paths.p = wide.ClientRequestPath
            left join metadata on metadata.text = wide.Metadata
        ) to '{path}' {_WRITER}"""
    )
    hourly = _made(out / "hourly" / f"event_date={event_date}" / "data.parquet")
    keys = ", ".join(HOURLY_KEYS)
    order = ", ".join(f"{key} nulls first" for key in HOURLY_KEYS)
    con.execute(
        f"""copy (select {keys}, count(*) as events from '{path}' group by {keys} order by {order})
        to '{hourly}' {_WRITER}"""
    )


def _day_rows(con: duckdb.DuckDBPyConnection, source: str, day: int) -> str:
    """Return rows among which the day's are: footer statistics and late decoding spare most of the others."""
    low, high = con.execute(
        "select min(stated), max(stated) from judged where day = ? and reason is null", [day]
    ).fetchone()
    return f"(select * from {source} where Datetime between {low} and {high})"


def _write_quarantine(con: duckdb.DuckDBPyConnection, source: str, out: Path) -> int:
    bad = con.execute("select r, reason, field from judged where reason is not null order by r").fetchall()
    read = con.execute(
        f"""select * from {source}
        where file_row_number in (select r from judged where reason is not null) order by file_row_number"""
    )
    names = [column[0] for column in read.description if column[0] != "file_row_number"]
    raws = [row_json(dict(zip(names, row, strict=False))).encode() for row in read.fetchall()]
    rows = [(reason, field, r, text) for (r, reason, field), text in zip(bad, raws, strict=True)]
    _values(con, "refused", "reason varchar, field varchar, row bigint, raw blob", rows)
    path = _made(out / "quarantine" / "data.parquet")
    con.execute(
        f"""copy (select *, '{OBJECT_ID}' as object_id, '{BUCKET}' as bucket, '{KEY}' as key,
        null::varchar as version_id, '{FEED}' as feed from refused) to '{path}' {_WRITER}"""
    )
    return len(rows)


def _unseen(con: duckdb.DuckDBPyConnection, raw: Path) -> dict[str, dict[str, int]]:
    found = {}
    for name, known in ENUMS.items():
        counts = con.execute(f"select {name}, count(*) from '{raw}' where {name} is not null group by 1").fetchall()
        found[name] = {value: rows for value, rows in counts if value.lower() not in known}
    return found


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    contend(work)
