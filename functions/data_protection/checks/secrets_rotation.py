"""SEC-ROT: a secret is replaced in time, and really was."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.secrets import SECRET
from data_protection.resources import Kind
from data_protection.times import moment
from data_protection.verdicts import Status, Verdict

# Without a window of its own, rotation happens at any time of the day on which it is due, in UTC:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
_WINDOW: Final = timedelta(days=1)


class SecretRotation(Requirement):
    """What is asked of a secret's rotation.

    Attributes:
        days: After which it must be due to be replaced, AWS takes 1 to 1,000; it is within the day after that.
        function: ARN of the Lambda function that replaces it; None where none is set by us.
    """

    days: int = Field(default=90, ge=1, le=1000)
    function: str | None = None


def _validate(case: Case[SecretRotation]) -> Verdict:
    secret, days = case.get(SECRET), case.requirement.days
    rotated = secret.get("LastRotatedDate")
    observed = {
        "rotation": secret.get("RotationEnabled", False),
        "last_rotated": rotated,
        "days": secret.get("RotationRules", {}).get("AutomaticallyAfterDays"),
        "deleted": secret.get("DeletedDate"),
    }
    expected = {"rotation": True, "days": days}
    if observed["deleted"]:
        return Verdict(Status.FAIL, f"It is to be deleted, since {observed['deleted']}.", observed, expected)
    if not observed["rotation"]:
        return Verdict(Status.FAIL, "It is not rotated.", observed, expected)
    if rotated is None:
        said = "Its rotation is on and has never happened."
        return Verdict(Status.WARN, said, observed, expected, settling=True)
    if case.now - moment(rotated) > timedelta(days=days) + _WINDOW:
        said = f"Its rotation is on, but happened last at {rotated}; {days} days are asked."
        return Verdict(Status.FAIL, said, observed, expected)
    return Verdict(Status.PASS, f"It was rotated at {rotated}.", observed, expected)


_OFF: Final = {"RotationEnabled": False}


def _propose(case: Case[SecretRotation]) -> Sequence[Change]:
    secret, asked = case.get(SECRET), case.requirement
    if secret.get("RotationEnabled") or secret.get("DeletedDate") or secret.get("OwningService"):
        raise CannotChange(
            f"{case.resource.name} takes people: where rotation is on and does not happen, look at its function's log; "
            "a secret that is to be deleted must be restored; one of another service is rotated there."
        )
    function = asked.function or secret.get("RotationLambdaARN")
    if function is None:
        raise CannotChange(f"Nothing replaces {case.resource.name}: name its `function` in the profile.")
    rotation = {"RotationLambdaARN": function, "RotationRules": {"AutomaticallyAfterDays": asked.days}}

    def call(operation: str, **parameters: Any) -> Call:
        return Call(
            service="secretsmanager", operation=operation, parameters={"SecretId": case.resource.name, **parameters}
        )

    return [
        Change(
            check="SEC-ROT",
            title=f"Rotate {case.resource.name} now and every {asked.days} days",
            # With the first rotation at once a function that cannot do it shows now, and not at night.
            call=call("rotate_secret", **rotation, RotateImmediately=True),
            inverse=call("cancel_rotate_secret"),
            # The value of before does not come back.
            reversibility=Reversibility.SIDE_EFFECTS,
            before=_OFF,
            after={"RotationEnabled": True, **rotation},
            risk="Whoever keeps the secret's value instead of asking for it is locked out.",
            wait_seconds=600,
        )
    ]


def _present(case: Case[SecretRotation], change: Change) -> Any:
    secret = case.get(SECRET)
    return projected(secret, change.after) if secret.get("RotationEnabled") else _OFF


CHECK: Final = Check(
    id="SEC-ROT",
    title="The secret is rotated, and was",
    why="A secret that is never replaced is known to all who ever saw it; rotation that fails does so in silence.",
    severity=Severity.MEDIUM,
    kind=Kind.SECRET,
    requirement=SecretRotation,
    reads=(SECRET,),
    validate=_validate,
    cost="The function's runs; the secret itself is about 0.40 USD a month.",
    advice="Give the secret a rotation function and a schedule, and look whether the first rotation succeeds.",
    controls={"AWS FSBP": ("SecretsManager.1", "SecretsManager.2", "SecretsManager.4")},
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.SIDE_EFFECTS,
        operations=frozenset({"secretsmanager:rotate_secret", "secretsmanager:cancel_rotate_secret"}),
        actions=frozenset(
            {
                "secretsmanager:RotateSecret",
                "secretsmanager:CancelRotateSecret",
                "lambda:InvokeFunction",
            }
        ),
        propose=_propose,
        present=_present,
    ),
)
