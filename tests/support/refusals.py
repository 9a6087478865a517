"""What functions were refused, by their logs."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_GROUPS: Final = "/aws/lambda/gatehouse-local-"
_PHRASES: Final = ("AccessDenied", "not authorized")


def refusals(logs: "CloudWatchLogsClient", *, since: int, meant: Collection[str] = ()) -> list[str]:
    """Return what the logs of all functions say of missing permissions, each text once.

    Args:
        logs: Client of the cloud they run in.
        since: In milliseconds; what was logged before is left out.
        meant: Texts; what has one of them is left out.
    """
    groups = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_GROUPS)
    events = logs.get_paginator("filter_log_events")
    found = {
        event["message"]
        for listed in groups
        for group in listed["logGroups"]
        for phrase in _PHRASES
        # MiniStack never gives a second page of events: the server filters, so that the first is not full of others.
        for page in events.paginate(logGroupName=group["logGroupName"], startTime=since, filterPattern=f'"{phrase}"')
        for event in page["events"]
        # To MiniStack a phrase is words in any order.
        if phrase in event["message"]
    }
    return sorted(message for message in found if not any(text in message for text in meant))
