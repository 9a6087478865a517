"""Contracts: what functions are sent and keep, refused in sentences that people can go by."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

import pydantic
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kernel.errors import ValidationError
from kernel.sentences import sentences, unquoted


class Document(BaseModel):
    """Immutable; what it does not know is somebody else's business.

    Attributes:
        described: Section of the documentation that lists the fields, where people write them.
    """

    model_config = ConfigDict(frozen=True)

    described: ClassVar[str] = ""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return what was sent.

        Raises:
            ValidationError: It is something else. State machines show the message to who started them: a sentence for
                each field, and where all are described.
        """
        try:
            return super().model_validate(obj, **options)
        except pydantic.ValidationError as invalid:
            raise cls._refusal(invalid) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return what was sent or is kept as JSON.

        Raises:
            ValidationError: As of `model_validate`.
        """
        try:
            return super().model_validate_json(json_data, **options)
        except pydantic.ValidationError as invalid:
            raise cls._refusal(invalid) from None

    @classmethod
    def _refusal(cls, invalid: pydantic.ValidationError) -> ValidationError:
        described = [f"{cls.described} describes the fields."] if cls.described else []
        return ValidationError(" ".join([*sentences(invalid, cls), *described]), unquoted(invalid))


class Contract(Document):
    """Immutable, and refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class MachineInput(Contract):
    """The input of a state machine, as it is sent to its first function: {"run": …, "time": …, "input": {…}}.

    Machines hand over what they were given as a whole: were they to choose fields, a wrong name would go unseen.

    Attributes:
        run: Name of the execution.
        time: When it began.
    """

    run: str = Field(min_length=1)
    time: datetime

    @model_validator(mode="before")
    @classmethod
    def _take_out(cls, sent: Any) -> Any:
        if not isinstance(sent, Mapping) or "input" not in sent:
            return sent
        given, own = sent["input"], {name: value for name, value in sent.items() if name != "input"}
        if not isinstance(given, Mapping):
            raise ValueError('the input is no JSON object: give {"field": value}')  # noqa: TRY004 - as pydantic wants it
        if taken := sorted(given.keys() & own.keys()):
            raise ValueError(f"leave {' and '.join(taken)} out of the input: the execution has its own")
        return {**given, **own}
