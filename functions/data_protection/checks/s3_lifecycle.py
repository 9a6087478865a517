"""S3-LIFECYCLE: objects move to cheaper storage classes and are deleted at the ages that the standard asks for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Self

from pydantic import Field, model_validator

from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.lifecycle import putting
from data_protection.lifecycle.effects import course
from data_protection.lifecycle.merging import Family, unmerge
from data_protection.lifecycle.rules import SMALL, Configuration
from data_protection.lifecycle.tiers import Shortfall, Tier, departures, shortfalls
from data_protection.reads.s3 import LIFECYCLE, VERSIONING
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class LifecycleTiers(Requirement):
    """What is asked of a bucket's lifecycle.

    Attributes:
        tiers: By prefix.
    """

    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _have_one_each(self) -> Self:
        prefixes = [tier.prefix for tier in self.tiers]
        if twice := sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1}):
            raise ValueError(f"give one tier for the prefix {twice[0]!r}")
        return self


def _lacking(wanted: LifecycleTiers, configuration: Configuration, case: Case[LifecycleTiers]) -> list[Shortfall]:
    return [shortfall for tier in wanted.tiers for shortfall in shortfalls(tier, configuration, case.now)]


def _departures(case: Case[LifecycleTiers]) -> list[Shortfall]:
    configuration, tiers = Configuration.parse(case.find(LIFECYCLE)), case.requirement.tiers
    return [departure for tier in tiers for departure in departures(tier, configuration, case.now, tiers)]


def _validate(case: Case[LifecycleTiers]) -> Verdict:
    answer, wanted = case.find(LIFECYCLE), case.requirement
    expected = wanted.model_dump(mode="json")["tiers"]
    if answer is None:
        return Verdict(Status.FAIL, "The bucket has no lifecycle.", None, expected)
    lacking = [*_lacking(wanted, Configuration.parse(answer), case), *_departures(case)]
    if not lacking:
        return Verdict(Status.PASS, "Every tier that is asked for is in effect.", answer["Rules"], expected)
    status = Status.FAIL if any(shortfall.is_missing for shortfall in lacking) else Status.WARN
    return Verdict(status, " ".join(shortfall.sentence for shortfall in lacking), answer["Rules"], expected)


def _propose(case: Case[LifecycleTiers]) -> Sequence[Change]:
    bucket, answer = case.resource, case.find(LIFECYCLE)
    if case.get(VERSIONING).get("MFADelete") == "Enabled":
        raise CannotChange(f"{bucket.name} has MFA delete, with which AWS takes no lifecycle. Choose one of the two.")
    rules = list(answer["Rules"]) if answer else []
    foreign = Configuration.parse({**(answer or {}), "Rules": unmerge(rules, Family.TIER)})
    lacking = [tier for tier in case.requirement.tiers if shortfalls(tier, foreign, case.now)]
    expiring = [tier for tier in lacking if tier.expire_days is not None]
    archiving = [tier for tier in lacking if tier.archives]
    changes = putting.put_rules(
        bucket,
        answer,
        [tier.rule() for tier in lacking],
        Family.TIER,
        check="S3-LIFECYCLE",
        title=f"Put the tiers of the standard into the lifecycle of {bucket.name}",
        # No rule brings objects back that moved, and out of an archive nothing but a restore of each.
        reversibility=Reversibility.LOSES_DATA if expiring or archiving else Reversibility.SIDE_EFFECTS,
        risk=" ".join(
            [
                *(_deleted(tier, Configuration.parse(answer), case.now) for tier in expiring),
                *map(_archived, archiving),
            ]
        ),
        cost="Each object that moves is paid once; small ones may cost more than they save.",
    )
    for change in changes:
        merged = Configuration.parse({**(answer or {}), "Rules": change.after["Rules"]})
        if remaining := _lacking(case.requirement, merged, case):
            raise CannotChange(
                f"Rules that are not ours keep the tiers from taking effect. {remaining[0].sentence} "
                "Change that rule, or what the profile asks."
            )
    if not changes and (others := _departures(case)):
        raise CannotChange(
            f"{others[0].sentence} That rule is not ours: change it, or ask for a tier of its own for what it is about."
        )
    return changes


def _deleted(tier: Tier, present: Configuration, now: datetime) -> str:
    life = course(present, tier.prefix, SMALL, now)
    so_far = "" if life.expires is None else f", so far at {life.expires} days by rule {life.expired_by!r}"
    return f"Objects {tier.name} older than {tier.expire_days} days are deleted{so_far}."


def _archived(tier: Tier) -> str:
    return f"Objects {tier.name} that moved to an archive stay there, and must be restored before they can be read."


def _present(case: Case[LifecycleTiers], change: Change) -> Any:
    return putting.present(case.find(LIFECYCLE), change)


CHECK: Final = Check(
    id="S3-LIFECYCLE",
    title="Lifecycle tiers are in effect",
    why="Data that is kept for years costs a multiple where it was written, and data that must go has to go by itself.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=LifecycleTiers,
    reads=(LIFECYCLE, VERSIONING),
    validate=_validate,
    cost="Saves storage, and is paid for each object that moves: whether it pays depends on their sizes.",
    advice="Write the rules that the profile asks for beside those that are there, by somebody who knows what they do.",
    controls={
        "AWS FSBP": ("S3.10", "S3.13"),
        "NIST 800-53 r5": ("CP-10", "CP-6(2)", "CP-9", "SC-5(2)", "SI-13(5)"),
    },
    mutator=Mutator(
        phase=2,
        reversibility=Reversibility.LOSES_DATA,
        operations=putting.OPERATIONS,
        actions=putting.ACTIONS,
        propose=_propose,
        present=_present,
        undoing_loses=putting.undoing_loses,
    ),
)
