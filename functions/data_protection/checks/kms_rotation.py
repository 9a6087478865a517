"""KMS-ROT: a key's material is replaced in time."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.readings import Answer
from data_protection.reads.kms import KEY, ROTATION, itself
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

_YEAR: Final = 365  # the period of a key of which none was said; API reference of GetKeyRotationStatus


class Rotation(Requirement):
    """What is asked of a key's rotation.

    Attributes:
        days: After which the material must be replaced at the latest; AWS takes 90 to 2,560.
    """

    days: int = Field(default=_YEAR, ge=90, le=2560)


def _inapplicable(metadata: Answer) -> str:
    """Return why AWS does not rotate such a key for us, or nothing if it does.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable-disable.html
    """
    if metadata["KeyManager"] != "CUSTOMER":
        return "AWS manages it, and rotates it every year."
    if metadata["KeySpec"] != "SYMMETRIC_DEFAULT":
        return f"AWS does not rotate {metadata['KeySpec']} keys."
    if metadata["Origin"] != "AWS_KMS":
        return f"AWS does not rotate key material of origin {metadata['Origin']}."
    if metadata.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "REPLICA":
        return f"It rotates with its primary, {metadata['MultiRegionConfiguration']['PrimaryKey']['Arn']}."
    return ""


def _validate(case: Case[Rotation]) -> Verdict:
    metadata, expected = case.get(KEY)["KeyMetadata"], {"rotation": True, "days": case.requirement.days}
    if reason := _inapplicable(metadata):
        return Verdict(Status.NOT_APPLICABLE, reason, {"key": metadata["Arn"]}, expected)
    if metadata["KeyState"] != "Enabled":
        said = f"It is {metadata['KeyState']}: AWS does not rotate it."
        return Verdict(Status.FAIL, said, {"state": metadata["KeyState"]}, expected)
    rotation = _rotation(case)
    observed = {"rotation": rotation["KeyRotationEnabled"], "days": _days(rotation)}
    if not rotation["KeyRotationEnabled"]:
        return Verdict(Status.FAIL, "It is not rotated.", observed, expected)
    if _days(rotation) > case.requirement.days:
        return Verdict(Status.WARN, f"It is rotated only every {_days(rotation)} days.", observed, expected)
    return Verdict(Status.PASS, f"It is rotated every {_days(rotation)} days.", observed, expected)


def _rotation(case: Case[Rotation]) -> Answer:
    return case.get(ROTATION, itself(case.resource, case.get(KEY)))


def _days(rotation: Answer) -> int:
    return int(rotation.get("RotationPeriodInDays", _YEAR))


def _propose(case: Case[Rotation]) -> Sequence[Change]:
    metadata, rotation = case.get(KEY)["KeyMetadata"], _rotation(case)
    if metadata["KeyState"] != "Enabled":
        raise CannotChange(f"{case.resource.name} is {metadata['KeyState']}: decide first whether it is to live.")
    key, days, earlier = metadata["Arn"], case.requirement.days, _period(rotation)

    def call(operation: str, **parameters: Any) -> Call:
        return Call(service="kms", operation=operation, parameters={"KeyId": key, **parameters})

    return [
        Change(
            check="KMS-ROT",
            title=f"Rotate {case.resource.name} every {days} days",
            call=call("enable_key_rotation", RotationPeriodInDays=days),
            inverse=call("enable_key_rotation", **earlier) if earlier else call("disable_key_rotation"),
            reversibility=Reversibility.REVERSIBLE,
            before=earlier,
            after={"RotationPeriodInDays": days},
            cost="Each of the first two rotations adds about 1 USD a month to the key.",
        )
    ]


def _may_undo(case: Case[Rotation], made: Made) -> None:
    changed, present = made.change.call.parameters["KeyId"], case.get(KEY)["KeyMetadata"]["Arn"]
    if present != changed:
        raise CannotChange(
            f"{case.resource.name} is {present} by now, and the rotation of {changed} was changed: bring that back by "
            "hand."
        )


def _present(case: Case[Rotation], change: Change) -> Any:
    # An alias may name another key by now than the call does.
    present = case.get(KEY)["KeyMetadata"]["Arn"]
    return _period(_rotation(case)) if present == change.call.parameters["KeyId"] else {"KeyId": present}


def _period(rotation: Answer) -> dict[str, int] | None:
    return {"RotationPeriodInDays": _days(rotation)} if rotation["KeyRotationEnabled"] else None


CHECK: Final = Check(
    id="KMS-ROT",
    title="The key is rotated",
    why="What a leaked key opens is what was encrypted since its last rotation.",
    severity=Severity.MEDIUM,
    kind=Kind.KEY,
    requirement=Rotation,
    reads=(KEY,),
    further=(KEY, ROTATION),
    validate=_validate,
    cost="Each of the first two rotations adds about 1 USD a month to the key.",
    advice="Turn on automatic rotation; of a multi-region key, on its primary.",
    controls={"AWS FSBP": ("KMS.4",), "CIS AWS 5.0": ("3.6",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"kms:enable_key_rotation", "kms:disable_key_rotation"}),
        actions=frozenset({"kms:EnableKeyRotation", "kms:DisableKeyRotation"}),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
    ),
)
