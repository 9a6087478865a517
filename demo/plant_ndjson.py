"""NDJSON objects: rendering events as lines, and planting among them what the pipeline must find."""

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Final

import polars as pl

from demo.corpus_events import TABLES
from demo.corpus_tables import Corpus
from demo.plant import PlantedObject, count_events, count_late, drawn, woven
from demo.plant_spoils import SPOILS, Event, line

# Level 1: the demo's start should not wait for a better ratio.
_LEVEL = 1
_NS = 10**9
# How often each thing is planted: a share of the rows, and a chance of one more in an object however small.
_SPOILED: Final = (0.0003, 0.45)
_REPEATED: Final = (0.009, 1.0)
_REPEATED_IN_OTHER_WORDS: Final = (0.001, 1.0)
_NEAR: Final = (0.0006, 1.0)
_ODD: Final = (0.002, 1.0)
_UNSEEN: Final = (0.0008, 0.5)
_BLANK: Final = (0.0004, 0.5)
_CRLF: Final = (0.001, 0.5)

UNKNOWN_COLUMN: Final = "BotScoreSrc"
_UNKNOWN_COLUMN_SHARE = 0.6
_UNSEEN_VALUES: Final = (("Action", "tarpit"), ("Source", "llmguard"), ("ClientIPClass", "residentialProxy"))


def compressed(lines: Sequence[bytes], members: int) -> bytes:
    """Return the lines as gzip of so many members; the header carries no time, so equal lines give equal bytes."""
    size = -(-len(lines) // members)
    blocks = []
    for start in range(0, len(lines), size):
        packer = zlib.compressobj(_LEVEL, wbits=31)
        blocks.append(packer.compress(b"\n".join(lines[start : start + size]) + b"\n") + packer.flush())
    return b"".join(blocks)


class Renderer:
    """Renders events of one feed as JSON lines; what a table's row says is put into JSON once, not per event."""

    def __init__(self, corpus: Corpus, fields: list[str]) -> None:
        self._fragments = {table: _fragments(getattr(corpus, table).rows, fields) for table in TABLES}
        self._originator = "OriginatorRayID" in fields

    def lines(self, events: pl.DataFrame, form: str) -> list[bytes]:
        """Return one line an event; `form` is a `timestamp_format` of Logpush."""
        parts: list[pl.Expr] = [
            pl.lit('{"RayID":"'),
            pl.col("RayID"),
            pl.lit('","Datetime":'),
            _stamp(form),
            pl.lit(',"MatchIndex":'),
            pl.col("MatchIndex").cast(pl.String),
        ]
        if self._originator:
            parts += [pl.lit(',"OriginatorRayID":"'), pl.col("OriginatorRayID"), pl.lit('"')]
        parts += [pl.lit(self._fragments[table]).gather(pl.col(table)) for table in TABLES]
        whole = events.select(pl.concat_str([*parts, pl.lit("}")]).str.join("\n")).item()
        return [text.encode() for text in whole.split("\n")]


def _fragments(rows: pl.DataFrame, fields: list[str]) -> pl.Series:
    """Return each row's members of a JSON object, every one after a comma."""
    names = [name for name in rows.columns if name in fields]
    if not names:
        return pl.Series([""] * rows.height, dtype=pl.String)
    plain = rows.select(name for name in names if name != "Metadata").write_ndjson().split("\n")[:-1]
    inner = [text[1:-1] for text in plain]
    if "Metadata" in names:
        # an object already, of which polars would make text
        inner = [f'{text},"Metadata":{raw}' for text, raw in zip(inner, rows["Metadata"], strict=True)]
    return pl.Series([f",{text}" for text in inner])


def _stamp(form: str) -> pl.Expr:
    if form == "unixnano":
        return pl.col("time").cast(pl.String)
    pattern = {"rfc3339": '"%Y-%m-%dT%H:%M:%SZ"', "rfc3339ns": '"%Y-%m-%dT%H:%M:%S%.9fZ"'}[form]
    return pl.from_epoch("time", "ns").dt.strftime(pattern)


class Planter:
    """Plants into the lines of one object, and keeps the record.

    What is planted goes to rows of its own: a row is refused for one reason, or repeated, or carries drift, so that
    no count depends on how the pipeline orders these.
    """

    def __init__(
        self, record: PlantedObject, lines: list[bytes], times: pl.Series, actions: pl.Series, random: Random
    ) -> None:
        """Take over the sound events of an object.

        Args:
            record: Of the object; filled by `finish`.
            lines: The events; changed in place.
            times: Theirs, in ns since the epoch.
            actions: Theirs.
            random: Decides everything.
        """
        self._record = record
        self._lines = lines
        self._times = times
        self._actions = actions
        self._random = random
        self._extras: dict[int, list[bytes]] = {}
        self._bad: dict[int, str] = {}
        self._near: list[int] = []
        self._calm = list(range(len(lines)))
        random.shuffle(self._calm)

    def _take(self, share: float, chance: float) -> list[int]:
        """Return rows to which nothing has been done yet."""
        wanted = min(drawn(len(self._lines), share, chance, self._random), len(self._calm))
        return [self._calm.pop() for _ in range(wanted)]

    def _after(self, position: int, extra: bytes) -> None:
        later = min(len(self._lines) - 1, position + int(self._random.expovariate(1 / 200)))
        self._extras.setdefault(later, []).append(extra)

    def spoil(self, *, naive_allowed: bool) -> None:
        """Plant rows that must be refused, for every reason."""
        for reason, spoil in SPOILS.items():
            if reason == "time_naive" and naive_allowed:
                continue
            for position in self._take(*_SPOILED):
                self._lines[position] = spoil(json.loads(self._lines[position]), self._random)
                self._bad[position] = reason

    def repeat(self) -> None:
        """Plant events that come twice, some of them in other words; and some that only look as if they did."""
        for position in self._take(*_REPEATED):
            self._after(position, self._lines[position])
            self._record.duplicates += 1
        for position in self._take(*_REPEATED_IN_OTHER_WORDS):
            event = json.loads(self._lines[position])
            self._after(position, line(_reworded(event, self._time(position), self._random)))
            self._record.duplicates += 1
        for position in self._take(*_NEAR):
            event = json.loads(self._lines[position])
            other = f"198.51.100.{self._random.randrange(1, 255)}"
            self._after(position, line({**event, "ClientIP": other}))
            self._near.append(position)
            self._record.near_duplicates += 1

    def put_oddly(self, *, naive_allowed: bool) -> None:
        """Write sound events in forms that are rare and right."""
        for position in self._take(*_ODD):
            event = json.loads(self._lines[position])
            oddly = _reworded(event, self._time(position), self._random)
            if naive_allowed and self._random.choice((True, False, False)):
                oddly["Datetime"] = _naive(self._time(position))
            self._lines[position] = line(oddly)
        for position in self._take(*_CRLF):
            self._lines[position] += b"\r"

    def drift(self, *, new_column: bool) -> None:
        """Plant what the documentation does not know: values, and columns if the source has begun to send them."""
        seen: dict[str, dict[str, int]] = {}
        for field, value in _UNSEEN_VALUES:
            taken = self._take(*_UNSEEN)
            for position in taken:
                self._lines[position] = line({**json.loads(self._lines[position]), field: value})
            if taken:
                seen[field] = {value: len(taken)}
            if field == "Action":
                self._actions = self._actions.clone().scatter(taken, value)
        columns: Counter[str] = Counter()
        if new_column:
            for position in self._take(_UNKNOWN_COLUMN_SHARE, 0.5):
                source = self._random.choice(("Machine Learning", "Heuristics", "JS Fingerprinting"))
                self._lines[position] = self._lines[position][:-1] + f',"{UNKNOWN_COLUMN}":"{source}"}}'.encode()
                columns[UNKNOWN_COLUMN] += 1
            for position in self._take(*_UNSEEN):
                # nested, and with a null, which counts as absent
                tail = b',"JA4Signals":{"ua_rank":3,"b":[1,null]},"BotTags":null}'
                self._lines[position] = self._lines[position][:-1] + tail
                columns["JA4Signals"] += 1
        self._record.unknown_values = seen
        self._record.unknown_columns = dict(sorted(columns.items()))

    def finish(self, day: date) -> list[bytes]:
        """Add blank lines, fill the record and return the object's lines; `day` is the object's own."""
        record, count = self._record, len(self._lines)
        for _ in range(drawn(count, *_BLANK, self._random)):
            blank = self._random.choice((b"", b"   ", b"\t", b" \r"))
            self._extras.setdefault(self._random.randrange(count), []).append(blank)
            record.blank_lines += 1
        marks = woven(range(count), {at: [-1] * len(more) for at, more in self._extras.items()})
        record.bad_rows = [(row, self._bad[mark]) for row, mark in enumerate(marks) if mark in self._bad]
        record.quarantined = dict(sorted(Counter(self._bad.values()).items()))
        stays = pl.Series([at for at in range(count) if at not in self._bad] + self._near, dtype=pl.Int64)
        times = self._times.gather(stays)
        record.events = count_events(times, self._actions.gather(stays))
        record.late = count_late(times, day)
        record.rows_out = stays.len()
        record.rows_in = record.rows_out + len(self._bad) + record.duplicates
        return woven(self._lines, self._extras)

    def _time(self, position: int) -> int:
        return int(self._times[position])


def _reworded(event: Event, time: int, random: Random) -> Event:
    """Return the same event as another writer might put it: other order, other forms, equal content."""
    names = list(event)
    random.shuffle(names)
    shuffled = {name: event[name] for name in names}
    shuffled["Datetime"] = _restated(event["Datetime"], time, random)
    shuffled["ClientASN"] = str(event["ClientASN"])
    shuffled["MatchIndex"] = f"{event['MatchIndex']}"
    if event["Metadata"]:
        metadata = dict(sorted(event["Metadata"].items(), reverse=True))
        shuffled["Metadata"] = json.dumps(metadata, ensure_ascii=random.choice((True, False)), indent=1)
    shuffled["FraudUserID"] = None
    return shuffled


def _restated(stated: object, time: int, random: Random) -> object:
    """Return the instant that `stated` names in another form; one that names whole seconds keeps to them."""
    whole = time if isinstance(stated, int) or "." in str(stated) else time // _NS * _NS
    seconds, fraction = divmod(whole, _NS)
    east = timezone(timedelta(hours=5, minutes=30))
    local = datetime.fromtimestamp(seconds, east).strftime("%Y-%m-%dT%H:%M:%S")
    utc = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    forms: list[object] = [whole, str(whole), f"{local}.{fraction:09d}+05:30", f"{utc}.{fraction:09d}000z"]
    if not fraction:
        forms += [seconds, str(seconds), seconds * 1000, f"{seconds}000000"]
    return random.choice(forms)


def _naive(time: int) -> str:
    seconds, fraction = divmod(time, _NS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{fraction:09d}"
