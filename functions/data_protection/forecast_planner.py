"""PlanForecast's work: which lifecycle is forecast, and what is to be counted for it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from data_protection.changes import CannotChange
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.errors import ForecastInvalid
from data_protection.lifecycle.contracts import ForecastPlan, ForecastPlanned, Part, PlanForecast
from data_protection.lifecycle.limits import configuration_faults, faults
from data_protection.lifecycle.merging import Family, merge
from data_protection.lifecycle.rules import Configuration
from data_protection.resources import Kind, Place, Resource

if TYPE_CHECKING:
    from data_protection.adapters.bucket_lifecycles import BucketLifecycles
    from data_protection.adapters.bucket_objects import InventoryFiles
    from data_protection.profiles import Profile

_PART_BYTES: Final = 256 << 20  # of inventory files, compressed, that one call reads one by one


def plan(
    asked: PlanForecast,
    place: Place,
    lifecycles: "BucketLifecycles",
    files: "InventoryFiles | None",
    profile: "Profile",
) -> tuple[ForecastPlan, ForecastPlanned]:
    """Return what a forecast is about, and the parts to count.

    Args:
        asked: The input.
        place: Of the bucket.
        lifecycles: Read the bucket's.
        files: Of the inventory, where one is named.
        profile: Of the account.

    Raises:
        ForecastInvalid: The rules, the inventory or the bucket do not allow it; the sentence says what to give.
    """
    present, versioning = lifecycles.lifecycle(asked.bucket), lifecycles.versioning(asked.bucket)
    lifecycle, source = _lifecycle(asked, place, present, profile)
    taken, inventory_bucket, parts = asked.time, "", [Part(number=0)]
    if files is not None and asked.inventory is not None:
        inventory_bucket, _, key = asked.inventory.removeprefix("s3://").partition("/")
        manifest = files.manifest(key)
        taken, parts = _time(manifest, asked), _parts(manifest, asked)
    planned = ForecastPlan(
        asked=asked,
        account=place.account,
        region=place.region,
        present=present,
        lifecycle=lifecycle,
        source=source,
        versioned=versioning == "Enabled",
        has_versions=bool(versioning),
        taken=taken,
        inventory_bucket=inventory_bucket,
    )
    return planned, ForecastPlanned(parts=tuple(parts))


def _lifecycle(
    asked: PlanForecast, place: Place, present: dict[str, Any] | None, profile: "Profile"
) -> tuple[dict[str, Any] | None, str]:
    kept = {name: value for name, value in (present or {}).items() if name == "TransitionDefaultMinimumObjectSize"}
    if asked.rules:
        lifecycle = {"Rules": list(asked.rules), **kept}
        try:
            refused = [fault for rule in asked.rules for fault in faults(rule)] + configuration_faults(asked.rules)
            Configuration.parse(lifecycle)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ForecastInvalid(f"The rules are none of AWS' API: {type(error).__name__}: {error}.") from error
        if refused:
            raise ForecastInvalid(f"AWS would refuse the rules. {' '.join(refused)}")
        return lifecycle, "the rules that were given"
    if asked.use == "own":
        return present, "the bucket's own lifecycle"
    requirement = profile.asked(Resource(Kind.BUCKET, place, asked.bucket), {}).get("S3-LIFECYCLE")
    if not isinstance(requirement, LifecycleTiers):
        raise ForecastInvalid(
            f"The profile {profile.name} asks for no tiers of {asked.bucket} by its name: give rules, or use 'own'."
        )
    try:
        merged = merge((present or {}).get("Rules", []), [tier.rule() for tier in requirement.tiers], Family.TIER)
    except CannotChange as refusal:
        raise ForecastInvalid(f"{refusal}") from refusal
    return {"Rules": list(merged), **kept}, f"the tiers of the profile {profile.name}, merged into what is there"


def _time(manifest: dict[str, Any], asked: PlanForecast) -> datetime:
    """Return when an inventory was begun, after looking whether it is one of the bucket that can be read."""
    if manifest.get("sourceBucket") != asked.bucket:
        raise ForecastInvalid(f"{asked.inventory} is of the bucket {manifest.get('sourceBucket')}, not {asked.bucket}.")
    if manifest.get("fileFormat") != "Parquet":
        raise ForecastInvalid(
            f"{asked.inventory} lists files of the format {manifest.get('fileFormat')}: let S3 deliver it as parquet."
        )
    return datetime.fromtimestamp(int(manifest["creationTimestamp"]) / 1000, UTC)


def _parts(manifest: dict[str, Any], asked: PlanForecast) -> list[Part]:
    """Return the files of an inventory in parts of at most 256 MB, or of one larger file."""
    packs: list[list[str]] = []
    room = 0
    for file in manifest.get("files", []):
        if file["size"] > room:
            packs.append([])
            room = _PART_BYTES
        packs[-1].append(file["key"])
        room -= file["size"]
    if not packs:
        raise ForecastInvalid(f"{asked.inventory} lists no files: the bucket was empty, or give another one.")
    return [Part(number=number, files=tuple(files)) for number, files in enumerate(packs)]
