"""What functions log."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kernel import observability
from kernel.contracts import Contract
from kernel.errors import ValidationError


class Message(Contract):
    bucket: str
    rows: int


def refused(body: str) -> ValidationError:
    with pytest.raises(ValidationError) as error:
        Message.model_validate_json(body)
    return error.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("rows"), "'rows'"),
        (
            refused('{"rows": [], "address": "192.0.2.7"}'),
            "address: Extra inputs are not permitted; bucket: Field required; rows: Input should be a valid integer",
        ),
        (refused("[1]"), "all: Input should be an object"),
    ],
)
def test_message_that_comes_again_is_told_by_its_fields_and_not_by_what_they_hold(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(observability.logger, "warning", lambda _, **keys: told.append(keys))

    observability.log_failures(cast("Any", SimpleNamespace(exceptions=[(type(error), error, None)])))

    assert told == [{"error": type(error).__name__, "reason": reason}]
