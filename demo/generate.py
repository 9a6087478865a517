"""Seeded, realistic raw Cloudflare `firewall_events`, and the record of what was planted in them.

It shares no code with the pipeline (import-linter sees to that): what the demo expects comes from here, so the two
must be able to disagree.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from demo import plant_parquet
from demo.corpus_chance import Chance, seeded
from demo.corpus_events import DAY, DAYS, FIRST_DAY, Burst, arrivals, columns, events
from demo.corpus_tables import Corpus, build
from demo.plant import Planted, PlantedFeed, PlantedObject, Put, total
from demo.plant_ndjson import Planter, Renderer, compressed
from demo.plant_parquet import Shape
from demo.plant_spoils import line

_NS = 10**9
_HOUR = 3600
_FEWEST: Final = 2_000
# From here on the source sends columns that its documentation does not know.
_DRIFT_BEGINS: Final = DAY + 12 * _HOUR

_IDENTITY: Final = ["MatchIndex", "RayID"]
_RULE: Final = ["Action", "Description", "Kind", "Metadata", "RuleID", "Source"]
_CLIENT: Final = ["ClientASN", "ClientASNDescription", "ClientCountry", "ClientIP", "ClientIPClass"]
_REQUEST: Final = [
    "ClientRequestHost",
    "ClientRequestMethod",
    "ClientRequestPath",
    "ClientRequestProtocol",
    "ClientRequestQuery",
    "ClientRequestScheme",
    "ClientRequestUserAgent",
]
_REFERER: Final = ["ClientRefererHost", "ClientRefererPath", "ClientRefererQuery", "ClientRefererScheme"]
_ANSWER: Final = ["EdgeColoCode", "EdgeResponseStatus", "OriginResponseStatus"]
_SCAN: Final = ["ContentScanObjResults", "ContentScanObjSizes", "ContentScanObjTypes"]
# as a converter writes them: with `Datetime` and `ZoneName` 32 columns
PARQUET_FIELDS: Final = [
    *_IDENTITY,
    *_RULE,
    *_CLIENT,
    *_REQUEST,
    *_REFERER,
    *_ANSWER,
    "OriginatorRayID",
    "Ref",
    "LeakedCredentialCheckResult",
]


@dataclass(frozen=True)
class _Plan:
    """A feed: who it is and how its objects are cut.

    Attributes:
        share: Of all rows.
        hours: How many hours the windows of its objects cover; the day repeats them.
        fields: What its job delivers.
    """

    feed: PlantedFeed
    share: float
    hours: tuple[tuple[int, ...], ...]
    fields: list[str]
    burst: Burst | None


_PLANS: Final = (
    _Plan(
        PlantedFeed("2.ford", "cloudflare/2.ford/", "ford.example", "ndjson.gz", "refuse"),
        share=0.28,
        hours=((2,) * 12, (3, 1) * 6),
        fields=[*PARQUET_FIELDS, *_SCAN],
        burst=Burst(start=DAY + 14 * _HOUR + 20 * 60, seconds=50 * 60, share=0.11),
    ),
    _Plan(
        PlantedFeed("3", "cloudflare/3/", "orchard.example", "ndjson.gz", "utc"),
        share=0.24,
        hours=((4,) * 6, (6, 4, 2, 6, 6)),
        fields=[*_RULE, *_CLIENT, *_REQUEST, "EdgeResponseStatus", "OriginResponseStatus"],
        burst=Burst(start=3 * _HOUR + 10 * 60, seconds=25 * 60, share=0.05),
    ),
    _Plan(
        PlantedFeed("47", "cloudflare/47/", "harbour.example", "parquet", "refuse"),
        share=0.48,
        # the second day was merged into one file, large enough to be worth splitting
        hours=((4,) * 6, (24,)),
        fields=PARQUET_FIELDS,
        burst=Burst(start=DAY + 14 * _HOUR + 35 * 60, seconds=60 * 60, share=0.08),
    ),
)

_PARQUET_SHAPES: Final = (
    Shape("text", numbers_as_text=False, groups=1, new_columns=False),
    Shape("unixnano", numbers_as_text=False, groups=2, new_columns=False),
    Shape("unix", numbers_as_text=True, groups=1, new_columns=False),
    Shape("native", numbers_as_text=False, groups=1, new_columns=False),
    Shape("text", numbers_as_text=True, groups=3, new_columns=False),
    Shape("native", numbers_as_text=False, groups=2, new_columns=False),
    Shape("unixnano", numbers_as_text=False, groups=8, new_columns=True),
)


def generate(
    out: Path, *, seed: int = 47, rows: int = 1_000_000, on_progress: Callable[[int, int], None] | None = None
) -> Planted:
    """Write raw objects of three feeds over two days below `out`, and `planted.json` beside them.

    Args:
        out: An empty or absent folder.
        seed: The same seed gives the same bytes.
        rows: Events, at least 2,000; planted duplicates, near-duplicates and rows of another dataset come on top.
        on_progress: Called with events written and events asked for after every object.

    Returns:
        The record, as in `planted.json`.

    Raises:
        ValueError: Too few rows for every object to have some.
    """
    if rows < _FEWEST:
        raise ValueError(f"{rows} rows are too few for some in every object: ask for {_FEWEST} or more")
    written = 0
    objects: list[PlantedObject] = []
    for plan in _PLANS:
        for record in _write_feed(out, plan, seed, rows):
            objects.append(record)
            written += record.rows_in
            if on_progress:
                on_progress(min(written, rows), rows)
    objects.sort(key=lambda each: each.path)
    planted = Planted(
        seed=seed,
        rows=rows,
        feeds=[plan.feed for plan in _PLANS],
        objects=objects,
        puts=_puts(objects, seed),
        totals=total(objects),
    )
    planted.save(out)
    return planted


def _puts(objects: list[PlantedObject], seed: int) -> list[Put]:
    """Return the objects in the order of their windows' ends, some of them late."""
    random = seeded(seed, "puts")

    def arrival(each: PlantedObject) -> float:
        name = each.path.rsplit("/", 1)[-1]
        if each.ignored:
            return 0.0
        end = datetime.strptime(name.split("_")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        return end + random.expovariate(1 / 600)

    return [Put(each.path, each.key) for each in sorted(objects, key=arrival)]


def _write_feed(out: Path, plan: _Plan, seed: int, rows: int) -> Iterator[PlantedObject]:
    feed = plan.feed
    chance = Chance(seed * 1000 + _PLANS.index(plan))
    corpus = build(feed.zone, chance, seed, max(300, rows // 25))
    share = round(rows * plan.share)
    frame = events(corpus, chance, arrivals(chance, share, plan.burst))
    write = _write_parquet_feed if feed.format == "parquet" else _write_ndjson_feed
    yield from write(out, plan, seed, corpus, frame)


def _windows(plan: _Plan) -> Iterator[tuple[int, int]]:
    """Yield start and end of each object's window, in seconds after `FIRST_DAY`."""
    for day in range(DAYS):
        start = day * DAY
        for hours in plan.hours[day]:
            yield start, start + hours * _HOUR
            start += hours * _HOUR


def _record(feed: PlantedFeed, start: int, end: int, seed: int, suffix: str) -> PlantedObject:
    """Return the empty record of an object under the name that Logpush gives it: what it was processed in, and when."""
    begins, ends = (datetime.fromtimestamp(FIRST_DAY + at, UTC) for at in (start, end))
    mark = hashlib.sha256(f"{seed} {feed.name} {start} {end} {suffix}".encode()).hexdigest()[:8]
    rest = f"{begins:%Y%m%d}/{begins:%Y%m%dT%H%M%SZ}_{ends:%Y%m%dT%H%M%SZ}_{mark}.{suffix}"
    return PlantedObject(path=f"{feed.name}/{rest}", key=feed.prefix + rest, feed=feed.name, format=feed.format)


def _day(start: int) -> date:
    return datetime.fromtimestamp(FIRST_DAY + start, UTC).date()


def _cut(frame: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    return frame.filter(pl.col("arrived").is_between((FIRST_DAY + start) * _NS, (FIRST_DAY + end) * _NS, closed="left"))


def _saved(out: Path, record: PlantedObject, content: bytes) -> PlantedObject:
    path = out / record.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return record


# ---------------------------------------------------------------- NDJSON


def _write_ndjson_feed(
    out: Path, plan: _Plan, seed: int, corpus: Corpus, frame: pl.DataFrame
) -> Iterator[PlantedObject]:
    feed = plan.feed
    renderer = Renderer(corpus, plan.fields)
    naive_allowed = feed.naive_times == "utc"
    sound: list[bytes] = []
    for number, (start, end) in enumerate(_windows(plan)):
        part = _cut(frame, start, end)
        form = "unixnano" if naive_allowed else ("rfc3339", "rfc3339ns")[number // 4 % 2]
        lines = renderer.lines(part, form)
        sound = lines[:200] or sound
        record = _record(feed, start, end, seed, "log.gz")
        actions = corpus.matches.rows["Action"].gather(part["matches"])
        planter = Planter(record, lines, part["time"], actions, seeded(seed, record.path))
        planter.spoil(naive_allowed=naive_allowed)
        planter.repeat()
        planter.put_oddly(naive_allowed=naive_allowed)
        planter.drift(new_column=start >= _DRIFT_BEGINS)
        content = compressed(planter.finish(_day(start)), members=1 + number % 3)
        yield _saved(out, record, content)
    yield from _write_broken_ndjson(out, feed, seed, sound)


def _write_broken_ndjson(out: Path, feed: PlantedFeed, seed: int, sound: list[bytes]) -> Iterator[PlantedObject]:
    """Write objects of which nothing may enter the lake, and one that is none of the feed's."""
    whole = compressed(sound, members=1)
    # the last eight bytes are CRC-32 and length (RFC 1952 §2.3.1)
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 0xFF]) + whole[-7:]
    if feed.naive_times == "refuse":
        broken = {"gzip_truncated": whole[: len(whole) * 2 // 3], "empty": b"", "gzip_corrupt": wrong_sum}
    else:
        broken = {"not_gzip": b"\n".join(sound) + b"\n", "gzip_truncated": compressed(sound, members=3)[:-5]}
    for number, (defect, content) in enumerate(broken.items()):
        record = _record(feed, DAY + number * _HOUR, DAY + number * _HOUR + 30, seed, "log.gz")
        record.defect = defect
        yield _saved(out, record, content)
    token = hashlib.sha256(f"{seed} {feed.name}".encode()).hexdigest()
    name = f"ownership-challenge-{token[:8]}.txt"
    challenge = PlantedObject(f"{feed.name}/{name}", feed.prefix + name, feed.name, feed.format, ignored=True)
    yield _saved(out, challenge, token.encode())


# ---------------------------------------------------------------- parquet


def _write_parquet_feed(
    out: Path, plan: _Plan, seed: int, corpus: Corpus, frame: pl.DataFrame
) -> Iterator[PlantedObject]:
    feed = plan.feed
    for (start, end), shape in zip(_windows(plan), _PARQUET_SHAPES, strict=True):
        part = _cut(frame, start, end)
        names = [*plan.fields, *(_SCAN if shape.groups == 1 else [])]
        shown = columns(corpus, part, names).with_columns(ZoneName=pl.lit(feed.zone))
        record = _record(feed, start, end, seed, "parquet")
        rows, group_rows = plant_parquet.plant(
            record, shown, part["time"], shape=shape, day=_day(start), random=seeded(seed, record.path)
        )
        (out / record.path).parent.mkdir(parents=True, exist_ok=True)
        plant_parquet.write(rows, out / record.path, group_rows)
        yield record
    yield _write_http_requests(out, feed, seed, columns(corpus, frame.head(60), plan.fields))
    yield from _write_broken_parquet(out, feed, seed, out / record.path)


def _write_http_requests(out: Path, feed: PlantedFeed, seed: int, sample: pl.DataFrame) -> PlantedObject:
    """Write a file of the neighbour dataset that went to the wrong prefix."""
    record = _record(feed, 9 * _HOUR, 9 * _HOUR + 300, seed, "parquet")
    stamp = FIRST_DAY + 9 * _HOUR
    requests = sample.select("RayID", "ClientIP", "ClientASN", "ClientRequestHost", "EdgeResponseStatus").with_columns(
        EdgeStartTimestamp=pl.lit(stamp * _NS), SecurityAction=pl.lit("")
    )
    record.rows_in = requests.height
    record.quarantined = {"wrong_dataset": requests.height}
    record.bad_rows = [(row, "wrong_dataset") for row in range(requests.height)]
    record.row_groups = 1
    (out / record.path).parent.mkdir(parents=True, exist_ok=True)
    plant_parquet.write(requests, out / record.path, requests.height)
    return record


def _write_broken_parquet(out: Path, feed: PlantedFeed, seed: int, sound: Path) -> Iterator[PlantedObject]:
    head = sound.read_bytes()[:40_000]
    broken = {"parquet_unreadable": head, "empty": b"", "not parquet": line({"Datetime": FIRST_DAY})}
    for number, (defect, content) in enumerate(broken.items()):
        record = _record(feed, DAY + number * _HOUR, DAY + number * _HOUR + 30, seed, "parquet")
        record.defect = "empty" if defect == "empty" else "parquet_unreadable"
        yield _saved(out, record, content)
