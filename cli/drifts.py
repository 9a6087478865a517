"""`gatehouse drifts` lists drift that is open: what stands worse than it did, and what is done about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer

from cli.console import console, listing, sentences
from cli.estate import estate_of, places_of
from cli.run import Cloud, Env
from cli.target import REMEDIATIONS, NotDeployed, Target

if TYPE_CHECKING:
    from data_protection.drift.drifts import Drift
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


def register(app: typer.Typer) -> None:
    """Add the command `drifts`."""
    app.command()(drifts)


def drifts(env: Env = "local", cloud: Cloud = "dev") -> None:
    """List the drift that is open: what, where, since when, by whom, whether it is fixed, and until when it is not."""
    from data_protection.errors import EstateInvalid, ProfileInvalid, ProfileMissing  # noqa: PLC0415 - heavy

    with sentences(NotDeployed, EstateInvalid, ProfileInvalid, ProfileMissing):
        rows = _rows(Target.of(env, cloud), datetime.now(UTC))
    listing(_COLUMNS, rows)
    if not rows:
        console().print("No drift is open.", style="soft")


def _rows(target: Target, now: datetime) -> list[tuple[str, ...]]:
    from data_protection.adapters.profiles import ProfileStore  # noqa: PLC0415 - heavy

    estate = estate_of(target)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda place: _open_in(target, place), places_of(estate, target))
        opened = sorted((drift for of_place in found for drift in of_place), key=lambda drift: drift.since)
    names = {drift.place.account: estate.account(drift.place.account).profile for drift in opened}
    profiles = ProfileStore(target.client("s3"), target.output("LakeBucketName"))
    loaded = {name: profiles.load(name) for name in set(names.values())}
    return [_row(target, drift, loaded[names[drift.place.account]], now) for drift in opened]


def _open_in(target: Target, place: "Place") -> "list[Drift]":
    """Return what is open in a place, but for what an assessment or a plan has seen mended and no look has told yet."""
    from data_protection.adapters.drifts import DriftStore  # noqa: PLC0415 - heavy
    from data_protection.adapters.findings import FindingStore  # noqa: PLC0415
    from data_protection.drift.drifts import is_mended  # noqa: PLC0415

    dynamodb, table = target.client("dynamodb"), target.output("ProtectionFindingsTableName")
    opened = DriftStore(dynamodb, table).open_in(place)
    if not opened:
        return []
    findings = FindingStore(target.client("s3"), target.output("LakeBucketName"), dynamodb, table)
    standings = findings.standings(place)
    return [drift for pair, drift in opened.items() if pair not in standings or not is_mended(drift, standings[pair])]


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
    return (
        drift.check,
        str(drift.resource),
        drift.place.account,
        drift.place.region,
        drift.status.value,
        drift.reason,
        f"{drift.since:%F %H:%M:%S}",
        drift.by,
        drift.call,
        fix,
        f"{frozen.until:%F %H:%M:%S}" if frozen is not None and now < frozen.until else "",
    )
