"""Identities of sealed days."""

from collections.abc import Iterable
from datetime import date

from firewall_logs.contracts import LakeFile
from firewall_logs.days.contracts import Cut
from firewall_logs.days.version import COMPACTION_VERSION
from firewall_logs.identity import digest


def inputs_id(day: date, events: Iterable[LakeFile], cuts: Iterable[Cut]) -> str:
    """Return the identity of what a day's files are compacted into, 32 hex digits.

    It covers everything that decides the bytes: the code, the day, the content and the order of the input files, which
    says which of two equal rows is the first, and where the day is cut.

    Args:
        day: The event date.
        events: Input files of events, in the order of the plan. Those of hourly counts decide nothing but the cuts.
        cuts: In order.
    """
    inputs = [part for file in events for part in (file.key, file.sha256)]
    # The number of inputs keeps them apart from the cuts.
    return digest(
        [COMPACTION_VERSION, day.isoformat(), str(len(inputs)), *inputs, *(cut.model_dump_json() for cut in cuts)]
    )[:32]
