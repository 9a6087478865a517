"""Environment variables as a typed model, read on first use and never at import."""

import os
from functools import cache
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from kernel.errors import SettingsInvalid


class Settings(BaseModel):
    """Base of a domain's settings: one field for each environment variable, in lower case."""

    model_config = ConfigDict(extra="ignore", frozen=True)


S = TypeVar("S", bound=Settings)


@cache
def load(model: type[S]) -> S:
    """Return the settings of this process.

    Raises:
        SettingsInvalid: A variable is missing or wrong; the sentence names it.
    """
    values = {name: os.environ[name.upper()] for name in model.model_fields if name.upper() in os.environ}
    try:
        return model.model_validate(values)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        name = str(first["loc"][0]).upper()
        raise SettingsInvalid(f"The environment variable {name} does not hold: {first['msg']}.") from None
