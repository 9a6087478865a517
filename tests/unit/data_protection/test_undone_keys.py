"""A call that is undone names a key; the alias, profile or topic that led to it may name another one by then."""

import json
from typing import Any

import pytest

from data_protection.changes import CannotChange, Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Made
from data_protection.reads.kms import KEY as DESCRIBE
from data_protection.reads.kms import KEY_POLICY, ROTATION
from data_protection.reads.sns import TOPIC
from data_protection.remediation.sights import require_undoable
from data_protection.resources import Kind, Resource, named
from tests.support.data_protection_account import KEY_ARN, NOW, PLACE, all_cases, changes
from tests.support.data_protection_healthy import ALIAS, KEY, METADATA, healthy, statement
from tests.support.data_protection_healthy import TOPIC as ALERTS

OTHER_ARN = f"{KEY_ARN}9"
OTHER = named(Kind.KEY, PLACE, OTHER_ARN)
RE_POINTED = {(ALIAS, DESCRIBE): {"KeyMetadata": METADATA | {"Arn": OTHER_ARN}}}
OPENED: dict[str, Any] = {"key": "alias/data", "change_policy": True}


def present(made: Change, of: Resource, readings: Any, requirement: dict[str, Any]) -> Any:
    """Return what is there now of a change, which may be undone."""
    [case] = all_cases(readings, {of: {made.check: requirement}})
    check = catalogue()[made.check]
    assert check.mutator is not None
    found = check.mutator.present(case, made)
    require_undoable(check, case, Made(made, NOW, {of: ()}))
    return found


def test_rotation_of_a_key_is_not_undone_once_its_alias_names_another_one() -> None:
    turned_on = {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}
    [made] = changes("KMS-ROT", ALIAS, healthy() | {(KEY, ROTATION): {"KeyRotationEnabled": False}})
    now = healthy() | {(OTHER, ROTATION): turned_on}

    assert present(made, ALIAS, now, {}) == made.after
    with pytest.raises(CannotChange, match=f"alias/data is {OTHER_ARN} by now, and the rotation of {KEY_ARN} was"):
        present(made, ALIAS, now | RE_POINTED, {})


def test_what_another_key_has_by_now_is_not_taken_for_what_was_changed() -> None:
    [made] = changes("KMS-ROT", ALIAS, healthy() | {(KEY, ROTATION): {"KeyRotationEnabled": False}})
    mutator = catalogue()["KMS-ROT"].mutator
    assert mutator is not None
    for rotation in ({"KeyRotationEnabled": False}, {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}):
        readings = healthy() | RE_POINTED | {(OTHER, ROTATION): rotation}
        [case] = all_cases(readings, {ALIAS: {"KMS-ROT": {}}})
        assert mutator.present(case, made) not in (made.before, made.after)


def test_policy_of_a_key_is_undone_by_the_calls_own_key() -> None:
    closed = json.dumps(statement(Principal={"AWS": "x"}, Action="kms:*", Resource="*"))
    [made] = changes("SNS-KMS", ALERTS, healthy() | {(KEY, KEY_POLICY): {"Policy": closed}}, OPENED)
    changed = {(KEY, KEY_POLICY): {"Policy": json.dumps(made.after)}, (OTHER, KEY_POLICY): {"Policy": closed}}
    now = healthy() | changed
    moved = {(ALERTS, TOPIC): {"Attributes": {"KmsMasterKeyId": "alias/data"}}}

    assert present(made, ALERTS, now, OPENED) == made.after
    # The topic has that key still, so that its policy is read, whatever the alias names.
    assert present(made, ALERTS, now | RE_POINTED, OPENED) == made.after
    with pytest.raises(CannotChange, match=f"name {OTHER_ARN} by now, and the policy of {KEY_ARN} was changed"):
        present(made, ALERTS, now | RE_POINTED | moved, OPENED)
