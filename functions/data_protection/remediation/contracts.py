"""What the parts of a remediation send each other: inputs and results of remediate_account's steps."""

import base64
import json
import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from data_protection.checks.catalogue import catalogue
from data_protection.remediation.plans import LeftOut, Plan
from data_protection.remediation.steps import State
from data_protection.remediation.waves import Wave
from data_protection.times import stamp
from kernel.contracts import Contract, Document, MachineInput
from kernel.sentences import nearest

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _whole(given: str) -> str:
    if given and re.fullmatch("[0-9a-f]{64}", given) is None:
        raise ValueError(
            f"{given[:64]!r} is not the hash of a plan: give all of its 64 digits, which `gatehouse plans` prints"
        )
    return given


_Typed = Annotated[str, AfterValidator(_whole)]  # empty for none


class PlanRemediation(MachineInput):
    """Asks for a plan: a new one, one that undoes another, or one that was made before.

    Attributes:
        requested_by: Who asks, as AWS names the caller.
        dry_run: Whether it ends with the plan.
        plan: Hash of a plan to carry out, as it was made; then nothing below is given.
        undo: Hash of a plan whose changes are to be undone; then of what is below only `steps` and `named` are given.
        steps: Ids of its steps, or of checks, where not all of them are to be undone.
        account, region: Whose and where, of a plan that mends; it has `phases`, too.
        phases: Of the standard.
        named: Checks whose changes, or the undoing of them, may lose data or be one-way.
    """

    described: ClassVar = "docs/data_protection.md#remediate"

    requested_by: str = Field(min_length=1)
    dry_run: bool = True
    plan: _Typed = ""
    undo: _Typed = ""
    steps: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    account: str = Field(default="", pattern=r"^(\d{12})?$")
    region: str = ""
    phases: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    named: frozenset[str] = frozenset()

    @field_validator("named")
    @classmethod
    def _exist(cls, named: frozenset[str]) -> frozenset[str]:
        if unknown := sorted(named - catalogue().keys()):
            raise ValueError(f"there is no check {unknown[0]}; {nearest(unknown[0], catalogue())}")
        return named

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = {name for name in ("undo", "steps", "account", "region", "phases", "named") if getattr(self, name)}
        if self.plan and given:
            raise ValueError(f"a plan that is made has its own {', '.join(sorted(given))}: give its hash alone")
        if self.undo and (own := given & {"account", "region", "phases"}):
            raise ValueError(f"a plan that is undone has its own {', '.join(sorted(own))}: leave them out")
        if self.steps and not self.undo:
            raise ValueError("steps are of a plan that is undone: give its hash as undo, or leave them out")
        if not self.plan and not self.undo and not (self.account and self.region and self.phases):
            raise ValueError(
                "give account, region and phases of a new plan, or the hash of one that is made as plan, or as undo"
            )
        return self


class RemediationPlanned(Contract):
    """What a plan comes to.

    Attributes:
        plan: Hash of it.
        undoes: Hash of the plan that it undoes; empty for none.
        dry_run: Whether the execution ends here.
        approvers: How many people must approve it.
        changes, resources: How many it makes, and touches.
        one_way: Steps after which not everything can be brought back.
        omitted: Findings that it does not touch, by the reason.
        waves: In which it is applied.
        approval_seconds: How long an approval is waited for.
        opens: When changes may begin, RFC 3339.
        key: Of the document in the lake bucket.
    """

    plan: str
    undoes: str
    account: str
    region: str
    dry_run: bool
    approvers: int
    changes: int
    resources: int
    one_way: tuple[str, ...]
    omitted: dict[LeftOut, int]
    waves: tuple[Wave, ...]
    approval_seconds: int
    opens: str
    key: str


class RequestApproval(Contract):
    """Asks people about a plan.

    Attributes:
        requested_by: Who asks to carry it out, as AWS names the caller.
        approvers: How many must approve it.
        token: By which the machine is answered; a secret.
    """

    run: str
    plan: Hash
    requested_by: str = Field(min_length=1)
    approvers: int = Field(ge=1)
    token: str = Field(min_length=1, repr=False)


class ApprovalRequested(Contract):
    """What is asked, which nobody waits for: the machine hears of the decision by its token."""

    plan: str
    needed: int
    expires: datetime
    decided: bool


class Said(Contract):
    """The body of a decision.

    Attributes:
        plan: Hash of the plan.
        approves: Yes or no.
        comment: Why.
    """

    plan: Hash
    approves: bool
    comment: str = Field(default="", max_length=1000)


class _Caller(Document):
    userArn: str = Field(min_length=1)  # noqa: N815 - AWS' own name


class _Authorizer(Document):
    iam: _Caller


class _Context(Document):
    authorizer: _Authorizer


class DecideApproval(Document):
    """A request to the function's URL, as Lambda hands it over after IAM let it pass.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads: who calls stands in the request's
    context, which Lambda writes and the caller does not.
    """

    requestContext: _Context  # noqa: N815 - AWS' own name
    body: Said

    @model_validator(mode="before")
    @classmethod
    def _read_body(cls, event: Any) -> Any:
        if isinstance(event, dict) and isinstance(body := event.get("body"), str):
            text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
            return {**event, "body": json.loads(text)}
        return event

    @property
    def approver(self) -> str:
        """Who decides, as IAM knows the caller."""
        return self.requestContext.authorizer.iam.userArn


class ApprovalDecided(Contract):
    """How an approval stands after a decision.

    Attributes:
        outcome: Approved, rejected, or open until others have said yes.
        missing: How many others must still say yes.
    """

    plan: str
    outcome: Literal["approved", "rejected", "open"]
    missing: int


class WorkOnStep(Contract):
    """Asks to go on with one step of a plan.

    Attributes:
        run: Name of the execution that works on it; another one with the same plan waits meanwhile.
        plan: Hash of the plan.
        step: Id of the step.
    """

    run: str = Field(min_length=1)
    plan: Hash
    step: str = Field(min_length=1)


class StepWorked(Contract):
    """How far a step is.

    Attributes:
        next: What is to be done: to look again, to undo, or nothing.
        wait_seconds: How long to wait before that.
        good: Whether the requirement is met.
        opens: When changes may begin, RFC 3339: a wave that comes after this step waits until then.
    """

    step: str
    state: State
    next: Literal["verify", "roll_back", "nothing"]
    wait_seconds: int
    good: bool
    opens: str
    note: str


class FinishRemediation(Contract):
    """Asks to sum up what became of a plan.

    Attributes:
        approved: Whether it was to be carried out.
        failures: Sentences about what kept steps from going on.
    """

    run: str
    plan: Hash
    approved: bool
    failures: tuple[str, ...] = ()


class RemediationFinished(Contract):
    """What became of a plan.

    Attributes:
        plan: Hash of it.
        good: Whether every step is good.
        counts: Steps by state; planned are those that were never begun.
        not_good: A sentence for each step that was begun and is not good, the first twenty.
        head: Of the chain of evidence of the plan, whose last record names the heads of all steps' chains.
    """

    plan: str
    good: bool
    counts: dict[State, int]
    not_good: tuple[str, ...]
    head: str


def planned(
    plan: Plan, waves: tuple[Wave, ...], *, approvers: int, dry_run: bool, now: datetime, key: str
) -> RemediationPlanned:
    """Return what a plan comes to now, when so many must approve it."""
    return RemediationPlanned(
        plan=plan.hash,
        undoes=plan.undoes,
        account=plan.account,
        region=plan.region,
        dry_run=dry_run,
        approvers=approvers,
        changes=len(plan.steps),
        resources=plan.resources_touched,
        one_way=tuple(step.id for step in plan.one_way),
        omitted=dict(plan.omitted),
        waves=waves,
        approval_seconds=round((plan.decided_until(now) - now).total_seconds()),
        opens=stamp(plan.policy.next_opening(now)),
        key=key,
    )
