"""What is wrong with a document, in the words of who wrote it."""

import json
from collections.abc import Callable
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import pydantic
import pytest
from pydantic import BaseModel, Field, field_validator

from kernel.contracts import Contract, MachineInput
from kernel.errors import ValidationError
from kernel.sentences import nearest, sentences


class Mode(StrEnum):
    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


class Rule(Contract):
    days: int = Field(default=1, ge=1, le=35)
    gb: float = Field(default=1, gt=0)
    share: float = Field(default=1, ge=0, lt=1)


class Order(Contract):
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    accounts: tuple[str, ...] = ()
    phases: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    mode: Mode = Mode.GOVERNANCE
    use: Literal["own"] = "own"
    rules: dict[str, Rule] = Field(default={})
    either: Rule | int = 1
    many: tuple[int, ...] | None = Field(default=None, min_length=2)
    name: str = Field(default="x", min_length=1, max_length=5)
    at: datetime | None = None
    of_day: time | None = None
    dry: bool = True

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("there is no such name")
        if name == "ask":
            raise ValueError("there is no such name; did you mean x?")
        return name


class Required(Contract):
    bucket: str


def said(model: type[BaseModel], given: Any) -> list[str]:
    with pytest.raises(pydantic.ValidationError) as refused:
        model.__pydantic_validator__.validate_python(given)
    return sentences(refused.value, model)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"phases": [1, 5]}, "`phases[1]`: 5 is not one of 1 to 4."),
        ({"phases": ["x"]}, "`phases[0]`: 'x' is not a whole number."),
        ({"phases": 5}, "`phases`: 5 is not a list."),
        ({"acount": "1"}, "`acount` is unknown; did you mean account?"),
        ({"Accounts": []}, "`Accounts` is unknown; did you mean accounts?"),
        ({"rules": {"a": {"day": 1}}}, "`rules.a.day` is unknown; did you mean days?"),
        ({"rules": {"a": {"zzz": 1}}}, "`rules.a.zzz` is unknown; known are days, gb, share."),
        ({"rules": {"a": {"days": 36}}}, "`rules.a.days`: 36 is not one of 1 to 35."),
        ({"rules": {"a": {"gb": 0}}}, "`rules.a.gb`: 0 is not more than 0."),
        ({"rules": {"a": {"share": 1}}}, "`rules.a.share`: 1 is not 0 or more and less than 1."),
        ({"rules": [1]}, "`rules`: a list is not an object."),
        ({"mode": "COMPLAINCE"}, "`mode`: 'COMPLAINCE' is not one of GOVERNANCE, COMPLIANCE."),
        ({"use": "profile"}, "`use`: 'profile' is not own."),
        ({"account": "12"}, r"`account`: '12' is not of the form ^\d{12}$."),
        ({"name": ""}, "`name` is empty."),
        ({"name": "abcdef"}, "`name`: 'abcdef' is not 5 or less long."),
        ({"name": "bad"}, "`name`: there is no such name."),
        ({"many": [1]}, "`many`: a list is not 2 or more long."),
        ({"account": 123456789012}, "`account`: 123456789012 is not a text: put it in quotes."),
        ({"of_day": "2am"}, "`of_day`: '2am' is not a time of day, as 22:00."),
        ({"name": "ask"}, "`name`: there is no such name; did you mean x?"),
        ({"at": "soon"}, "`at`: 'soon' is not a time, as 2026-11-21T12:00:00Z."),
        ({"dry": "maybe"}, "`dry`: 'maybe' is not true or false."),
        ({"name": {"a": 1}}, "`name`: an object is not a text."),
        ([1], "As a whole: a list is not an object."),
    ],
)
def test_a_mistake_is_told_by_field_value_and_what_may_be(given: Any, sentence: str) -> None:
    assert said(Order, given) == [sentence]


def test_each_alternative_of_a_field_is_told_by_the_field() -> None:
    assert said(Order, {"either": {"days": 0}}) == [
        "`either.days`: 0 is not one of 1 to 35.",
        "`either`: an object is not a whole number.",
    ]


def test_many_mistakes_are_counted() -> None:
    assert said(Order, {"phases": [9] * 12})[-1] == "There are 2 more mistakes."


def test_a_long_value_is_cut() -> None:
    [sentence] = said(Order, {"mode": "x" * 5000})
    assert len(sentence) < 150


@pytest.mark.parametrize(
    ("name", "known", "told"),
    [
        ("acounts", {"accounts"}, "did you mean accounts?"),
        ("x", {"b", "a"}, "known are a, b."),
        ("x", (), "none is known."),
    ],
)
def test_nearest_name(name: str, known: set[str], told: str) -> None:
    assert nearest(name, known) == told


class Begin(MachineInput):
    described: ClassVar = "docs/data_protection.md#assess"

    bucket: str


OWN = {"run": "r-1", "time": "2026-11-21T05:00:00Z"}


@pytest.mark.parametrize(
    "validate",
    [
        lambda given: Begin.model_validate(OWN | {"input": given}),
        lambda given: Begin.model_validate_json(json.dumps(OWN | given)),
    ],
    ids=["as it is sent", "as it is kept"],
)
def test_contract_is_refused_in_sentences_alone(validate: Callable[[dict[str, str]], Begin]) -> None:
    with pytest.raises(ValidationError) as refused:
        validate({"buket": "audio"})

    assert str(refused.value) == (
        "`bucket` is missing. `buket` is unknown; did you mean bucket? "
        "docs/data_protection.md#assess describes the fields."
    )
    assert refused.value.__suppress_context__, "a stack of pydantic helps nobody"


def test_input_of_a_machine_is_its_contracts_fields() -> None:
    asked = Begin.model_validate(OWN | {"input": {"bucket": "audio"}})

    assert (asked.run, asked.bucket) == ("r-1", "audio")
    assert Begin.model_validate_json(asked.model_dump_json()) == asked


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([1], 'As a whole: the input is no JSON object: give {"field": value}.'),
        ({"bucket": "audio", "run": "r-2"}, "As a whole: leave run out of the input: the execution has its own."),
    ],
)
def test_input_that_is_none_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Begin.model_validate(OWN | {"input": given})

    assert str(refused.value).startswith(sentence)


def test_what_is_no_json_is_told_so() -> None:
    with pytest.raises(ValidationError, match=r"^As a whole: Invalid JSON: "):
        Required.model_validate_json("{")
