"""An account before the checks: readings made by hand, what a profile asks, and changes held against AWS' API."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.model import OperationModel, ServiceModel
from botocore.session import get_session
from botocore.validate import ParamValidator

from data_protection.assessments import assess, cases
from data_protection.changes import Call, Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case
from data_protection.collection import Question, Questions
from data_protection.profiles import Profile
from data_protection.readings import Found, Read, Reading, Unreadable
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("123456789012", "eu-central-1")
ACCOUNT = account_of(PLACE)
ORDERS = Resource(Kind.TABLE, PLACE, "orders")
AUDIO = Resource(Kind.BUCKET, PLACE, "audio")
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"

Readings = Mapping[tuple[Resource, Read], Reading | Mapping[str, Any]]
Asked = Mapping[Resource, Mapping[str, Any]]


def ago(**time: float) -> str:
    """Return a time in the past as AWS' answers hold it."""
    return (NOW - timedelta(**time)).isoformat()


def snapshot(readings: Readings) -> Snapshot:
    """Return the snapshot of these answers and failures."""
    return Snapshot(
        PLACE,
        NOW,
        {
            (resource, read.name): Found(reading) if isinstance(reading, Mapping) else reading
            for (resource, read), reading in readings.items()
        },
    )


def taken(questions: Questions, answers: Readings, now: datetime = NOW) -> Snapshot:
    """Return the snapshot of an account that answers so, and denies what it has no answer for."""
    readings: dict[tuple[Resource, str], Reading] = {}

    def ask(asked: list[Question]) -> None:
        while asked:
            question = asked.pop()
            given = answers.get((question.resource, question.read), Unreadable("AccessDenied", "no"))
            reading = Found(given) if isinstance(given, Mapping) else given
            readings[question.resource, question.read.name] = reading
            asked += questions.follow(question, reading)

    ask(questions.inventory())
    ask(questions.begin(readings))
    return Snapshot(questions.place, now, readings)


def profile(asked: Asked) -> Profile:
    """Return the profile that asks of resources what is given by check."""
    rules = [
        {"kind": one.kind, "requires": requires}
        | ({} if one.kind is Kind.ACCOUNT else {"select": [{"name": one.name}]})
        for one, requires in asked.items()
    ]
    return Profile.model_validate({"name": "test", "rules": rules})


def all_cases(readings: Readings, asked: Asked) -> Sequence[Case[Any]]:
    """Return all cases of the place."""
    return [case for _, case in cases(snapshot(readings), profile(asked), NOW)]


def verdict(
    check: str,
    of: Resource,
    readings: Readings,
    requirement: Mapping[str, Any] | None = None,
    also: Asked | None = None,
) -> Verdict:
    """Return what a check says of a resource.

    Args:
        check: Its id.
        of: The resource.
        readings: What was read.
        requirement: What is asked; the defaults if left out.
        also: What else is in scope.
    """
    asked = {**(also or {}), of: {**(also or {}).get(of, {}), check: requirement or {}}}
    findings = assess(snapshot(readings), profile(asked), NOW).findings
    return next(one.verdict for one in findings if one.check.id == check and one.resource == of)


def changes(
    check: str,
    of: Resource,
    readings: Readings,
    requirement: Mapping[str, Any] | None = None,
    also: Asked | None = None,
) -> Sequence[Change]:
    """Return what a check's mutator proposes; each call is one that it may make, as AWS' API takes it."""
    asked = {**(also or {}), of: {**(also or {}).get(of, {}), check: requirement or {}}}
    found = cases(snapshot(readings), profile(asked), NOW)
    case = next(case for one, case in found if one.id == check and case.resource == of)
    mutator = catalogue()[check].mutator
    assert mutator is not None
    proposed = list(mutator.propose(case))
    for change in proposed:
        assert change.check == check
        for call in (change.call, change.inverse):
            if call is not None:
                assert f"{call.service}:{call.operation}" in mutator.operations
                require_valid(call)
    return proposed


def require_valid(call: Call) -> None:
    """Assert that AWS' API has the operation and takes its parameters."""
    model = operation(call.service, call.operation)
    assert model.input_shape is not None
    report = ParamValidator().validate(call.parameters, model.input_shape)
    assert not report.has_errors(), report.generate_report()


@cache
def _service(service: str) -> ServiceModel:
    return get_session().get_service_model(service)


@cache
def operation(service: str, name: str) -> OperationModel:
    """Return botocore's model of an operation by its name in Python."""
    model = _service(service)
    names = {one.replace("_", "").lower(): one for one in model.operation_names}
    return model.operation_model(names[name.replace("_", "").lower()])
