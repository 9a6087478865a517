import json
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data_protection.errors import ApprovalClosed, OwnApproval, ProfileInvalid
from data_protection.profiles import parse
from data_protection.remediation.approvals import Approval, Decision
from data_protection.remediation.policy import Policy, Window

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday


def approval(needed: int = 1) -> Approval:
    return Approval(plan="p", requested_by="alice", needed=needed, expires=NOON + timedelta(hours=1))


def says(who: str, at: datetime = NOON, *, yes: bool = True) -> Decision:
    return Decision(approver=who, approves=yes, at=at)


def test_who_asked_for_a_plan_may_not_approve_it() -> None:
    with pytest.raises(OwnApproval, match="alice asked for the plan p"):
        approval().decide(says("alice"))


def test_who_asked_for_a_plan_may_call_it_off() -> None:
    assert approval().decide(says("alice", yes=False)).outcome is False


def test_two_approvers_are_two_people() -> None:
    once = approval(needed=2).decide(says("bob"))
    assert once.decide(says("bob", NOON + timedelta(minutes=1))) == once
    assert once.outcome is None
    assert once.decide(says("carol")).outcome is True


def test_one_no_ends_it() -> None:
    rejected = approval(needed=2).decide(says("bob")).decide(says("carol", yes=False))
    assert rejected.outcome is False
    with pytest.raises(ApprovalClosed, match="rejected already"):
        rejected.decide(says("dave"))


def test_an_approval_comes_too_late_once_it_has_expired() -> None:
    with pytest.raises(ApprovalClosed, match="expired"):
        approval().decide(says("bob", NOON + timedelta(hours=1)))


@pytest.mark.parametrize("phase", [3, 4])
def test_graver_phases_are_never_approved_beforehand(phase: int) -> None:
    with pytest.raises(ValidationError, match=f"phase {phase} always needs an approval"):
        Policy.model_validate({"preapproved_phases": [1, phase]})


def test_policy_that_cannot_hold_is_named_in_the_profile() -> None:
    rule = {"kind": "dynamodb-table", "select": [{"name": "orders"}], "requires": {"DDB-PITR": {}}}
    given = {"name": "test", "rules": [rule], "remediation": {"preapproved_phases": [4]}}

    with pytest.raises(ProfileInvalid, match=r"`remediation.preapproved_phases`: phase 4 always needs an approval"):
        parse(json.dumps(given))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_window_that_passes_midnight_is_open_until_it_closes(now: datetime) -> None:
    window = Window(days=("sat",), opens=time(22), hours=4)
    opening = window.next_opening(now)
    is_open = (now.weekday(), now.hour >= 22) == (5, True) or (now.weekday() == 6 and now.hour < 2)
    assert is_open == (window.next_opening(now) <= now)
    if not is_open:
        assert opening > now
        assert (opening.weekday(), opening.hour) == (5, 22)
        assert opening - now <= timedelta(days=7)


def test_windows_follow_the_clocks_of_their_zone() -> None:
    window = Window(opens=time(3), hours=1, time_zone="Europe/Berlin")
    assert window.next_opening(NOON).astimezone(UTC).hour == 2
    assert window.next_opening(NOON.replace(month=7)).astimezone(UTC).hour == 1


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="'saturday' is no day"):
        Window.model_validate({"days": ["saturday"], "opens": "22:00", "hours": 1})


@pytest.mark.parametrize("given", ["2am", "2200", 2200, 22.5, "25:00", "22:00+01:00"])
def test_what_is_no_time_of_day_is_refused_with_an_example(given: object) -> None:
    document = json.dumps({"windows": [{"opens": given, "hours": 1}]})

    with pytest.raises(
        ProfileInvalid, match=r"`remediation\.windows\[0\]\.opens`: .* is not a time of day, as 22:00\.$"
    ):
        parse(f"name: shop\nrules: [{{kind: account, requires: {{CT-LOGGING: {{}}}}}}]\nremediation: {document}")


def test_window_opens_when_its_profile_says_in_quotes_or_without() -> None:
    for opens in ("22:00", '"22:00"'):
        rules = "rules: [{kind: account, requires: {CT-LOGGING: {}}}]"
        found = parse(f"name: shop\n{rules}\nremediation: {{windows: [{{opens: {opens}, hours: 1}}]}}")

        assert found.remediation.windows[0].opens == time(22)
