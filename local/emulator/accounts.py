# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""What one account does in another: events that a rule forwards.

MiniStack itself assumes roles of other accounts, and with IAM enforced looks at trust policies and session policies.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import eventbridge

from local.emulator import seams


def install() -> None:
    """Let rules send events to the buses of other accounts."""
    seams.replace(
        eventbridge, "_dispatch_to_event_bus", "spec event rule event_path target_input_payload", _into_its_account
    )


def _into_its_account(original: Callable[..., None]) -> Callable[..., None]:
    """An event goes to the account that the bus belongs to; MiniStack drops those for another than the rule's.

    The bus's policy and the rule's role are not looked at. A rule there that has the name of the rule here never sees
    the event: MiniStack takes the two for one, and the event for one that goes in circles.
    """

    def dispatch(spec: Any, *rest: Any) -> None:
        with responses.request_scope(spec.account_id, spec.region):
            eventbridge._ensure_default_bus()
            original(spec, *rest)

    return dispatch
