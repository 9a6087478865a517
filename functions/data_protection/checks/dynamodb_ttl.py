"""DDB-TTL: items of a table expire by the attribute that is meant, or not at all."""

from collections.abc import Sequence
from typing import Any, Final

from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Quota, Requirement, Severity
from data_protection.reads.dynamodb import TIME_TO_LIVE
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
_QUOTA: Final = Quota("change of a table's time to live", most=1, hours=1, refusal="ValidationException")


class TimeToLive(Requirement):
    """What is asked of a table's time to live.

    Attributes:
        attribute: That holds the second of expiry; None where items must not expire.
    """

    attribute: str | None = None


def _validate(case: Case[TimeToLive]) -> Verdict:
    description = case.get(TIME_TO_LIVE)["TimeToLiveDescription"]
    status, wanted = description["TimeToLiveStatus"], case.requirement.attribute
    found = description.get("AttributeName") if status == "ENABLED" else None
    observed, expected = {"status": status, "attribute": found}, {"attribute": wanted}
    if status in {"ENABLING", "DISABLING"}:
        return Verdict(Status.WARN, f"Its time to live is {status}.", observed, expected, settling=True)
    if found != wanted:
        said = f"Items expire by {found}" if found else "Items do not expire"
        return Verdict(Status.FAIL, f"{said}; asked is {wanted or 'that none does'}.", observed, expected)
    return Verdict(Status.PASS, f"Items expire by {found}." if found else "Items do not expire.", observed, expected)


def _propose(case: Case[TimeToLive]) -> Sequence[Change]:
    description = case.get(TIME_TO_LIVE)["TimeToLiveDescription"]
    name, wanted = case.resource.name, case.requirement.attribute
    status, found = description["TimeToLiveStatus"], description.get("AttributeName", "")
    if status in {"ENABLING", "DISABLING"}:
        raise CannotChange(f"The time to live of {name} is {status}: AWS takes one change an hour. Plan again then.")
    if status == "ENABLED" and wanted is not None:
        raise CannotChange(
            f"Items of {name} expire by {found}. Another attribute takes turning it off and, an hour later, on: decide "
            f"which is right, and turn {found} off by hand."
        )

    def call(attribute: str, *, enabled: bool) -> Call:
        return Call(
            service="dynamodb",
            operation="update_time_to_live",
            parameters={
                "TableName": name,
                "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute},
            },
        )

    attribute = wanted or found
    risk = f"Items whose {attribute} lies in the past are deleted within days. " if wanted else ""
    return [
        Change(
            check="DDB-TTL",
            title=f"Let items of {name} expire by {attribute}" if wanted else f"Let no item of {name} expire",
            call=call(attribute, enabled=wanted is not None),
            inverse=call(attribute, enabled=wanted is None),
            # What has expired until it is undone is gone.
            reversibility=Reversibility.LOSES_DATA if wanted else Reversibility.QUOTA,
            before={"Enabled": wanted is None, "AttributeName": attribute},
            after={"Enabled": wanted is not None, "AttributeName": attribute},
            risk=f"{risk}{_QUOTA}: it cannot be undone sooner.",
            cost="Deleting by time to live is free." if wanted else "What no longer expires is stored and paid.",
            wait_seconds=3600,
        )
    ]


def _present(case: Case[TimeToLive], change: Change) -> Any:
    description = case.get(TIME_TO_LIVE)["TimeToLiveDescription"]
    return {
        "Enabled": description["TimeToLiveStatus"] in {"ENABLED", "ENABLING"},
        # Where it is off AWS names none.
        "AttributeName": description.get("AttributeName", change.after["AttributeName"]),
    }


CHECK: Final = Check(
    id="DDB-TTL",
    title="Items expire as specified",
    why="A time to live by the wrong attribute deletes what must be kept; none keeps what must go.",
    severity=Severity.MEDIUM,
    kind=Kind.TABLE,
    requirement=TimeToLive,
    reads=(TIME_TO_LIVE,),
    validate=_validate,
    cost="Deleting by time to live is free.",
    advice="Turn it on or off in the table's Additional settings tab; AWS takes one change an hour.",
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.LOSES_DATA,
        operations=frozenset({"dynamodb:update_time_to_live"}),
        actions=frozenset({"dynamodb:UpdateTimeToLive"}),
        propose=_propose,
        present=_present,
        undoing_loses=lambda change: (
            "Items whose time has passed are deleted again." if change.before["Enabled"] else ""
        ),
        quota=_QUOTA,
    ),
)
