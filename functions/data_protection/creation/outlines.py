"""Outlines: how resources that are asked for stand, and which calls would make them so. Pure.

What others made is compared and never changed. What a mutator would change is part of making, so that plans and checks
cannot disagree.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from data_protection.assessments import judge
from data_protection.changes import Call, CannotChange
from data_protection.checks.check import Case, Check
from data_protection.creation.recipe import Look, Recipe
from data_protection.creation.recipes import RECIPES
from data_protection.creation.requests import Wish
from data_protection.creation.tags import CREATING
from data_protection.errors import CreationRefused, ResourceUnreadable
from data_protection.readings import Answer, Read
from data_protection.reads.s3 import LIFECYCLE, POLICY, PUBLIC_ACCESS, VERSIONING
from data_protection.resources import Resource
from data_protection.snapshot import NotRead, ResourceMissing, Snapshot
from data_protection.verdicts import Status, Verdict


class Standing(StrEnum):
    """How a resource stands to what is asked."""

    MISSING = "missing"  # it is to be made
    HALFWAY = "halfway"  # this request was making it
    SAME = "same"  # it is there, as it was asked for
    DIFFERS = "differs"  # it is there and otherwise; it is left as it is

    @property
    def is_to_make(self) -> bool:
        """Whether something is left to be made."""
        return self in {Standing.MISSING, Standing.HALFWAY}


@dataclass(frozen=True)
class Outline:
    """How one resource stands, and what would be done.

    Attributes:
        wish: The resource.
        standing: Of it.
        calls: That make it what it shall be, in order.
        differences: In what it is not as it was asked for.
        settling: Why nothing can be done to it now; empty where something can.
        at_once: How many of the calls can be made before another look.
    """

    wish: Wish
    standing: Standing
    calls: Sequence[Call] = ()
    differences: Sequence[str] = ()
    settling: str = ""
    at_once: int = 0

    @property
    def finishes(self) -> bool:
        """Whether nothing is left once the calls that can be made at once are made."""
        return self.at_once == len(self.calls)


# Calls by which others' answers change: what comes after them must know what they did, as it adds to it or needs it.
_EFFECTS: Final[dict[str, tuple[Read, Callable[[dict[str, Any]], Answer]]]] = {
    "s3:put_bucket_policy": (POLICY, lambda parameters: {"Policy": parameters["Policy"]}),
    "s3:put_bucket_lifecycle_configuration": (LIFECYCLE, lambda parameters: parameters["LifecycleConfiguration"]),
    "s3:put_public_access_block": (PUBLIC_ACCESS, lambda parameters: parameters),
    "s3:put_bucket_versioning": (VERSIONING, lambda parameters: parameters["VersioningConfiguration"]),
}


def outline(wish: Wish, snapshot: Snapshot, now: datetime, *, made: bool = False) -> Outline:
    """Return how a resource stands and what would be done.

    Args:
        wish: The resource.
        snapshot: What was read of it and of what it needs.
        now: The time.
        made: Whether this run has made it already, so that it is ours, whatever its tags say yet.

    Raises:
        CreationRefused: It cannot be made; the sentence says why and what to do.
        ResourceUnreadable: It cannot be read now.
    """
    with _said(wish):
        return _outline(wish, snapshot, now, made=made)[0]


def compared(wish: Wish, snapshot: Snapshot, now: datetime) -> Outline:
    """Return how a resource stands, for reports: why it cannot be made or read is a difference, too."""
    try:
        return outline(wish, snapshot, now)
    except CreationRefused as why:
        return Outline(wish, Standing.MISSING, differences=(str(why),))
    except ResourceUnreadable as why:
        return Outline(wish, Standing.DIFFERS, differences=(str(why),))


def outlines(some: Sequence[Wish], snapshot: Snapshot, now: datetime) -> list[Outline]:
    """Return how the resources of a request stand, each as it were once those before it are made.

    Raises:
        CreationRefused: One of them cannot be made.
        ResourceUnreadable: One of them cannot be read now.
    """
    found = []
    for wish in some:
        with _said(wish):
            one, snapshot = _outline(wish, snapshot, now, made=False)
        found.append(one)
    return found


@contextmanager
def _said(wish: Wish) -> Iterator[None]:
    """Let what stands in the way of a resource be said of it."""
    try:
        yield
    except NotRead as unread:
        raise ResourceUnreadable(f"{wish.resource} cannot be made or compared now: {unread}.") from None
    except ResourceMissing as missing:
        raise CreationRefused(f"{wish.resource} cannot be made: {missing}.") from None
    except CannotChange as why:
        raise CreationRefused(f"{wish.resource} cannot be made: {why}") from None


def _outline(wish: Wish, snapshot: Snapshot, now: datetime, *, made: bool) -> tuple[Outline, Snapshot]:
    """Return the outline, and what AWS would answer after it."""
    look, recipe = wish.look(snapshot, now), RECIPES[wish.resource.kind]
    tags = recipe.tags(look)
    if tags is not None and tags.get(CREATING) != look.maker and not made:
        differences = _differences(recipe, look, tags)
        return Outline(wish, Standing.DIFFERS if differences else Standing.SAME, differences=differences), snapshot
    standing = Standing.MISSING if tags is None else Standing.HALFWAY
    if creation := recipe.create(look):
        rest, after = _rest(recipe, look.knowing(recipe.fresh(look)))
        calls = _allowed(recipe, look, [*creation, *rest, *recipe.finish(after)])
        # What a call gives its resource, as an id, the next ones need.
        return Outline(wish, standing, calls, at_once=1), after.snapshot
    if settling := recipe.settling(look):
        return Outline(wish, standing, settling=settling), snapshot
    rest, after = _rest(recipe, look)
    if not rest and (settling := _unsettled(look)):
        return Outline(wish, standing, settling=settling), snapshot
    calls = _allowed(recipe, look, [*rest, *recipe.finish(after)])
    return Outline(wish, standing, calls, at_once=len(rest) or len(calls)), after.snapshot


def _rest(recipe: Recipe[Any], look: Look[Any]) -> tuple[list[Call], Look[Any]]:
    """Return the calls that are left once a resource exists, and the look as it were after them."""
    calls: list[Call] = []

    def take(some: Iterable[Call]) -> None:
        nonlocal look
        for call in some:
            calls.append(call)
            look = _after(look, call)

    take(recipe.rest(look))
    for asked in look.wanted.needs():
        take(next(_corrections(check, case) for check, case in look.cases() if check.id == asked))
    return calls, look


def _after(look: Look[Any], call: Call) -> Look[Any]:
    effect = _EFFECTS.get(f"{call.service}:{call.operation}")
    if effect is None:
        return look
    read, answer = effect
    return look.knowing({(look.resource, read): answer(call.parameters)})


def _corrections(check: Check[Any], case: Case[Any]) -> list[Call]:
    """Return the calls by which a check's mutator makes a resource what is asked.

    Raises:
        CreationRefused: The resource would fail the check, and nothing is known that mends it.
    """
    verdict = judge(check, case)
    match verdict.status:
        case Status.UNKNOWN:
            raise ResourceUnreadable(f"{case.resource} cannot be judged by {check.id} now: {verdict.reason}")
        case Status.FAIL if not verdict.settling:
            if check.mutator is None:
                raise CreationRefused(f"{case.resource} would fail {check.id}: {verdict.reason}")
            return _own(check, case)
        case Status.WARN if not verdict.settling:
            return _own(check, case) if _could_improve(check, case) else []
    return []


def _own(check: Check[Any], case: Case[Any]) -> list[Call]:
    """Return what a mutator would call.

    Raises:
        CreationRefused: Some of it is about another resource, which others made.
    """
    calls = _proposed(check, case)
    for call in calls:
        if (bucket := call.parameters.get("Bucket", case.resource.name)) != case.resource.name:
            raise CreationRefused(
                f"{case.resource} needs {bucket} changed for {check.id}. Others made that one, so that it is theirs to "
                "change; or name another one."
            )
    return calls


def _proposed(check: Check[Any], case: Case[Any]) -> list[Call]:
    return [change.call for change in check.mutator.propose(case)] if check.mutator else []


def _could_improve(check: Check[Any], case: Case[Any]) -> bool:
    """Return whether a mutator would change something; what only time or people can show is no change."""
    try:
        return bool(_proposed(check, case))
    except CannotChange:
        return False


def _unsettled(look: Look[Any]) -> str:
    verdicts: Iterable[Verdict] = (judge(check, case) for check, case in look.cases())
    return next((verdict.reason for verdict in verdicts if verdict.settling), "")


def _differences(recipe: Recipe[Any], look: Look[Any], tags: Mapping[str, str]) -> list[str]:
    found = [f"It is being made by {tags[CREATING]}."] if CREATING in tags else []
    for check, case in look.cases():
        verdict = judge(check, case)
        is_weak = verdict.status is Status.WARN and _could_improve(check, case)
        if is_weak or verdict.status in {Status.FAIL, Status.UNKNOWN}:
            found.append(difference(check, case.resource, look.resource, verdict))
    try:
        return [*found, *recipe.differences(look)]
    except (NotRead, ResourceMissing) as unseen:
        return [*found, f"It could not be compared as a whole: {unseen}."]


def difference(check: Check[Any], resource: Resource, whole: Resource, verdict: Verdict) -> str:
    """Return what a check says against a resource that is asked for, the whole, or against a part of it."""
    part = "" if resource == whole else f" of {resource.name}"
    return f"{check.id}{part}: {verdict.reason}"


def _allowed(recipe: Recipe[Any], look: Look[Any], calls: list[Call]) -> list[Call]:
    """Return the calls.

    Raises:
        CreationRefused: One of them is none that making such a resource takes: somebody has changed what is half made.
    """
    for call in calls:
        if f"{call.service}:{call.operation}" not in recipe.operations:
            raise CreationRefused(
                f"{look.resource} would need {call.service}:{call.operation}, which making it never does: somebody has "
                "changed it meanwhile. Delete it, or mend it by a plan of remediation."
            )
    return calls
