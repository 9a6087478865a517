"""`gatehouse drifts` lists drift that is open: what stands worse than it did, and what is done about it.

With `--all` it lists what ended, too, and how.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.console import console, listing, sentences
from cli.estate import estate_of, places_of
from cli.run import Cloud, Env
from cli.target import REMEDIATIONS, NotDeployed, Target

if TYPE_CHECKING:
    from data_protection.drift.drifts import Drift, DriftEnd
    from data_protection.profiles import Profile
    from data_protection.resources import Place

_AT_ONCE: Final = 8
_COLUMNS: Final = (
    "check",
    "resource",
    "account",
    "region",
    "status",
    "reason",
    "since",
    "by",
    "call",
    "fix",
    "frozen until",
)
_OF_ALL: Final = ("found", "ended", "seconds")

All = Annotated[bool, typer.Option("--all", help="Those, too, that ended within the last 400 days, and how.")]


def register(app: typer.Typer) -> None:
    """Add the command `drifts`."""
    app.command()(drifts)


def drifts(*, every: All = False, env: Env = "local", cloud: Cloud = "dev") -> None:
    """List the drift that is open: what, where, since when, by whom, whether it is fixed, and until when it is not."""
    from data_protection.errors import EstateInvalid, ProfileInvalid, ProfileMissing  # noqa: PLC0415 - heavy

    with sentences(NotDeployed, EstateInvalid, ProfileInvalid, ProfileMissing):
        rows = _rows(Target.of(env, cloud), datetime.now(UTC), every=every)
    listing((*_COLUMNS, *_OF_ALL) if every else _COLUMNS, rows)
    if not rows:
        console().print("No drift was found." if every else "No drift is open.", style="soft")


def _rows(target: Target, now: datetime, *, every: bool) -> list[tuple[str, ...]]:
    from data_protection.adapters.profiles import ProfileStore  # noqa: PLC0415 - heavy

    estate = estate_of(target)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda place: _of_place(target, place, every=every), places_of(estate, target)))
    opened = [drift for of_place, _ in found for drift in of_place]
    names = {drift.place.account: estate.account(drift.place.account).profile for drift in opened}
    profiles = ProfileStore(target.client("s3"), target.output("LakeBucketName"))
    loaded = {name: profiles.load(name) for name in set(names.values())}
    rows = [(drift, _row(target, drift, loaded[names[drift.place.account]], now)) for drift in opened]
    if every:
        rows = [(drift, (*row, _time(drift.found), "", "")) for drift, row in rows]
        rows += [(end.drift, _ended(end)) for _, ends in found for end in ends]
    return [row for drift, row in sorted(rows, key=lambda one: one[0].since)]


def _of_place(target: Target, place: "Place", *, every: bool) -> "tuple[list[Drift], list[DriftEnd]]":
    """Return what is open in a place, and what ended there where all is asked for.

    What an assessment or a plan has seen mended has ended, though no look has told so yet.
    """
    from data_protection.adapters.drifts import DriftStore  # noqa: PLC0415 - heavy
    from data_protection.adapters.findings import FindingStore  # noqa: PLC0415
    from data_protection.drift.drifts import mended  # noqa: PLC0415

    dynamodb, table = target.client("dynamodb"), target.output("ProtectionFindingsTableName")
    drifts = DriftStore(dynamodb, table)
    opened, ends = drifts.open_in(place), drifts.ended_in(place) if every else []
    if not opened:
        return [], ends
    standings = FindingStore(target.client("s3"), target.output("LakeBucketName"), dynamodb, table).standings(place)
    seen = {pair: mended(drift, standings[pair]) for pair, drift in opened.items() if pair in standings}
    return (
        [drift for pair, drift in opened.items() if seen.get(pair) is None],
        [*ends, *(end for end in seen.values() if end is not None)],
    )


def _row(target: Target, drift: "Drift", profile: "Profile", now: datetime) -> tuple[str, ...]:
    from data_protection.adapters.attempts import AttemptStore  # noqa: PLC0415 - heavy

    attempts = AttemptStore(target.client("dynamodb"), target.output(REMEDIATIONS))
    tried = [attempt for attempt in attempts.since(drift, drift.since) if attempt.drift.id == drift.id]
    frozen = attempts.frozen(drift)
    if drift.check not in profile.drift.fix:
        fix = f"left to people: the profile {profile.name} does not have it fixed"
    elif not tried:
        fix = "not begun"
    elif (state := tried[-1].outcome) is None:
        fix = "being fixed"
    else:
        fix = f"ended {state.replace('_', ' ')}, plan {tried[-1].plan.hash}"
    return (*_what(drift), fix, _time(frozen.until) if frozen is not None and now < frozen.until else "")


def _ended(end: "DriftEnd") -> tuple[str, ...]:
    return (*_what(end.drift), _how(end), "", _time(end.drift.found), _time(end.ended), f"{end.seconds:.0f}")


def _what(drift: "Drift") -> tuple[str, ...]:
    return (
        drift.check,
        str(drift.resource),
        drift.place.account,
        drift.place.region,
        drift.status.value,
        drift.reason,
        _time(drift.since),
        drift.by,
        drift.call,
    )


def _how(end: "DriftEnd") -> str:
    how = end.how.replace("_", " ")
    if end.plan:
        return f"{how} by plan {end.plan}"
    return f"{how} by {end.by}" if end.by else f"{how}, seen by {end.look or 'another look'}"


def _time(time: datetime) -> str:
    return f"{time:%F %H:%M:%S}"
