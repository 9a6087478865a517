"""What was written, counted from the bytes themselves, whatever anybody has read of it."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from local.rds.model.estates import Estate
from local.rds.model.generations import Generation
from local.rds.model.instances import Instance

_BLOCK = 1 << 20


@dataclass(frozen=True)
class LostTail:
    """Bytes that a restart took from the end of a file; a reader may or may not have had them.

    Attributes:
        offset: Where in the file they were.
        lines: Ends of lines among them.
    """

    at: datetime
    offset: int
    size: int
    sha256: str
    lines: int


@dataclass(frozen=True)
class FileTruth:
    """A generation's bytes as they are, or were when it was purged.

    Attributes:
        names: Under which it is or was listed; the last one is the newest.
        generation: Number, counted from 0 in each instance.
        lines: Ends of lines, and one more for a last line without.
        path: Where the bytes are, if they were asked for.
        purged: When the last of its names went away; None while it is listed.
        moves_on: Whether its bytes move on to another file, which has none of them before; no byte is in two files.
    """

    account: str
    region: str
    instance: str
    dbi_resource_id: str
    engine: str
    names: tuple[str, ...]
    generation: int
    created: datetime
    closed: datetime | None
    purged: datetime | None
    moves_on: bool
    size: int
    sha256: str
    lines: int
    lost: tuple[LostTail, ...]
    path: str | None = None


def truths(estate: Estate, now: datetime, folder: Path | None = None) -> Iterator[FileTruth]:
    """Return the truth of all files that an estate has or had.

    Args:
        estate: Which.
        now: What is written by now counts.
        folder: Where to put the bytes; None: nowhere.
    """
    for instance in (*estate.deleted, *estate.instances.values()):
        for generation, names, purged in _generations(instance):
            path = None
            if folder is not None:
                path = folder / estate.account / estate.region / instance.resource_id / str(generation.number)
                path.parent.mkdir(parents=True, exist_ok=True)
            size, sha256, lines = _count(generation, now, path)
            yield FileTruth(
                account=estate.account,
                region=estate.region,
                instance=instance.identifier,
                dbi_resource_id=instance.resource_id,
                engine=instance.engine,
                names=names,
                generation=generation.number,
                created=generation.created,
                closed=generation.closed,
                purged=purged,
                moves_on=generation.moves_on,
                size=size,
                sha256=sha256,
                lines=lines,
                lost=tuple(_lost(generation)),
                path=str(path) if path is not None else None,
            )


def _generations(instance: Instance) -> Iterator[tuple[Generation, tuple[str, ...], datetime | None]]:
    names: dict[int, list[str]] = {}
    found: dict[int, Generation] = {}
    purged: dict[int, datetime] = {}
    for log in instance.logs:
        for gone in log.purged:
            found[gone.generation.number] = gone.generation
            names.setdefault(gone.generation.number, []).append(gone.name)
            purged[gone.generation.number] = gone.at
        for name, generation in log.files.items():
            found[generation.number] = generation
            names.setdefault(generation.number, []).append(name)
    for number in sorted(found):
        yield found[number], tuple(names[number]), purged.get(number)


def _count(generation: Generation, now: datetime, path: Path | None) -> tuple[int, str, int]:
    size = generation.size(now)
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    with (path or Path(os.devnull)).open("wb") as out:
        for start in range(0, size, _BLOCK):
            block = generation.read(start, min(start + _BLOCK, size), now)
            digest.update(block)
            lines += block.count(b"\n")
            last = block[-1:]
            out.write(block)
    return size, digest.hexdigest(), lines + (last != b"\n")


def _lost(generation: Generation) -> Iterator[LostTail]:
    for loss in generation.losses:
        data = b"".join(generation.source.read(start, end) for start, end in loss.runs)
        yield LostTail(loss.at, loss.offset, len(data), hashlib.sha256(data).hexdigest(), data.count(b"\n"))
