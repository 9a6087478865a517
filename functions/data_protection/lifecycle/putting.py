"""The change that puts our rules into a bucket's lifecycle, and what undoes it."""

from collections.abc import Sequence
from typing import Any, Final

from data_protection.buckets import bucket_call
from data_protection.changes import Call, Change, Reversibility
from data_protection.lifecycle.merging import Family, merge
from data_protection.lifecycle.rules import RawRule
from data_protection.readings import Answer
from data_protection.resources import Resource

OPERATIONS: Final = frozenset({"s3:put_bucket_lifecycle_configuration", "s3:delete_bucket_lifecycle"})
ACTIONS: Final = frozenset({"s3:PutLifecycleConfiguration"})  # of deleting too


def put_rules(
    bucket: Resource,
    present: Answer | None,
    ours: Sequence[RawRule],
    family: Family,
    *,
    check: str,
    title: str,
    reversibility: Reversibility,
    risk: str,
    cost: str,
) -> list[Change]:
    """Return the change that replaces a family of our rules in a lifecycle; none where it is there already.

    Args:
        bucket: Whose lifecycle.
        present: It, as AWS answers; None where the bucket has none.
        ours: Rules of the family, in AWS' JSON.
        family: Of them.
        check: Id of the check that asks.
        title: Of the change.
        reversibility: Of it.
        risk: Of it.
        cost: Of it.

    Raises:
        CannotChange: AWS would refuse the whole.
    """
    rules = list(present["Rules"]) if present else []
    merged = merge(rules, ours, family)
    if merged == rules:
        return []
    # Left out it would be set anew, to what AWS has as its default at that time.
    kept = {name: value for name, value in (present or {}).items() if name == "TransitionDefaultMinimumObjectSize"}

    def put(whole: Sequence[RawRule]) -> Call:
        return bucket_call(
            bucket, "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": list(whole)}, **kept
        )

    return [
        Change(
            check=check,
            title=title,
            call=put(merged),
            # A lifecycle without rules cannot be put.
            inverse=put(rules) if rules else bucket_call(bucket, "delete_bucket_lifecycle"),
            reversibility=reversibility,
            before={"Rules": rules, **kept},
            after={"Rules": merged, **kept},
            risk=risk,
            cost=cost,
        )
    ]


def present(answer: Answer | None, change: Change) -> Any:
    """Return a lifecycle as AWS answers with it, or None for no one, in the form in which a change replaces it."""
    # A size limit that no change names is AWS' own default, which comes and goes with the rules.
    whole = {"Rules": [], **(answer or {})}
    return {name: whole.get(name) for name in change.after}


def undoing_loses(change: Change) -> str:
    """Return what is lost where a later plan undoes a change of a bucket: rules that come back act again."""
    before, after = (state.get("Rules", []) for state in (change.before, change.after))
    returning = [rule for rule in before if rule not in after]
    return "Objects are moved or deleted again by the rules that come back." if returning else ""
