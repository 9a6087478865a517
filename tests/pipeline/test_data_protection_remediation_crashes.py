"""A function of remediate_account may die after any effect; its next attempt goes on, and nothing is done twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

from data_protection.adapters.evidence import chains_of
from data_protection.remediation.audits import audit
from data_protection.remediation.evidence import Record, verify_chain
from data_protection.verdicts import Status
from kernel import aws
from tests.support.remediation import (
    BOB,
    EVIDENCE,
    Remediation,
    client,
    events_of,
    profile,
    records,
    recovers,
    remediated_account,
    standing,
    table,
    tables,
    whenever,
)

# Every call that leaves something behind.
_EFFECTS = (
    ("s3", "PutObject"),
    ("dynamodb", "PutItem"),
    ("dynamodb", "UpdateItem"),
    ("dynamodb", "DeleteItem"),
    ("dynamodb", "BatchWriteItem"),
    ("dynamodb", "UpdateContinuousBackups"),
    ("sns", "Publish"),
    ("stepfunctions", "SendTaskSuccess"),
)
T = TypeVar("T")


class Died(BaseException):
    """The function is no more."""


class Reaper:
    """Lets a function die after the nth effect."""

    def __init__(self, after: int) -> None:
        self.after, self.seen = after, 0

    def __call__(self, **_: Any) -> None:
        self.seen += 1
        if self.seen == self.after:
            raise Died


@contextmanager
def dying(reaper: Reaper) -> Iterator[None]:
    makers = [
        *{id(one): one for one in (aws.s3(), aws.dynamodb(), aws.states(), *map(client, ("dynamodb", "sns")))}.values()
    ]
    hooks = [
        (one.meta.events, f"after-call.{service}.{operation}")
        for one in makers
        for service, operation in _EFFECTS
        if one.meta.service_model.service_name == service
    ]
    for events, name in hooks:
        events.register(name, reaper)
    try:
        yield
    finally:
        for events, name in hooks:
            events.unregister(name, reaper)


def attempted(task: Callable[[], T]) -> T:
    """Do a task as the machine does: once more, if the function died."""
    try:
        return task()
    except Died:
        return task()


def remediate(run: Remediation) -> tuple[str, str]:
    """Go the whole way, and return plan and step."""
    planned = attempted(lambda: run.plan(1))
    plan, tokens = planned["plan"], count()
    attempted(lambda: run.ask(plan, f"token-{next(tokens)}"))
    assert attempted(lambda: run.decide(plan, BOB))[1]["outcome"] == "approved"
    assert run.answers[f"token-{next(tokens) - 1}"]["approved"], "the machine waits for ever"
    [step] = planned["waves"][0]["groups"][0]["steps"]
    assert attempted(lambda: run.step(plan, step))["state"] == "verified"
    assert attempted(lambda: run.finish(plan))["good"]
    return plan, step


def test_wherever_a_function_dies_the_remediation_comes_to_the_same_end_and_the_call_is_made_once() -> None:
    with remediated_account():
        for effect in count(1):
            name, made = f"table-{effect}", list[Any]()
            table(name)
            profile(tables(name))
            reaper = Reaper(effect)
            with dying(reaper), whenever("dynamodb", "UpdateContinuousBackups", made.append):
                plan, step = remediate(Remediation(f"by-hand-{effect}"))
            assert (recovers(name), len(made)) == (True, 1), effect
            assert events_of(plan) == ["planned", "approved", "finished"], effect
            assert events_of(plan, step) == ["seen", "applied", "verified"], effect
            verify_chain([Record.model_validate(record) for record in records(plan, step)])
            if reaper.seen < effect:
                break
        # The plan and its register, the request and the announcement, the decision, the answer and the token, locks and
        # states of the step with its evidence and the call, and what closes it.
        assert effect > 18


def undo(run: Remediation, first: str) -> tuple[str, str]:
    """Undo a plan, and return plan and step."""
    planned = attempted(lambda: run.plan(undo=first, named=["DDB-PITR"]))
    plan, tokens = planned["plan"], count()
    attempted(lambda: run.ask(plan, f"undo-{next(tokens)}"))
    assert attempted(lambda: run.decide(plan, BOB))[1]["outcome"] == "approved"
    [step] = planned["waves"][0]["groups"][0]["steps"]
    assert attempted(lambda: run.step(plan, step))["state"] == "verified"
    assert attempted(lambda: run.finish(plan))["good"]
    return plan, step


def test_wherever_a_function_dies_the_undoing_comes_to_the_same_end_and_the_call_is_made_once() -> None:
    with remediated_account():
        for effect in count(1):
            name, made = f"table-{effect}", list[Any]()
            table(name)
            profile(tables(name))
            first, _ = remediate(Remediation(f"saturday-{effect}"))
            reaper = Reaper(effect)
            with dying(reaper), whenever("dynamodb", "UpdateContinuousBackups", made.append):
                plan, step = undo(Remediation(f"monday-{effect}"), first)
            assert (recovers(name), len(made)) == (False, 1), effect
            assert events_of(plan) == ["planned", "approved", "finished"], effect
            assert events_of(plan, step) == ["seen", "applied", "verified"], effect
            assert events_of(first) == ["planned", "approved", "finished", "taken_back"], effect
            assert events_of(first, step) == ["seen", "applied", "verified", "taken_back"], effect
            arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{name}"
            assert (known := standing("DDB-PITR", arn)) is not None
            assert (known.status, known.best, known.undone_until) == (Status.FAIL, Status.FAIL, None), effect
            for one in (first, plan):
                found = audit(one, chains_of(aws.s3(), EVIDENCE, one))
                assert (found.breaks, found.open) == ((), ()), effect
            if reaper.seen < effect:
                break
        # What a remediation leaves behind, the mark of what is expected, and what the evidence of the first plan tells.
        assert effect > 21
