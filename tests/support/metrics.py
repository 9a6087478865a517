"""What a handler told CloudWatch: the EMF documents among the lines it printed."""

import json
from typing import Any


def emitted(printed: str) -> dict[str, Any]:
    """Return name and value of every metric in the output; a list's only value is unpacked.

    A metric with dimensions beside the service has their values in its name: `ObjectsAnnounced of 2.ford`.
    """
    found: dict[str, Any] = {}
    for line in printed.splitlines():
        if '"CloudWatchMetrics"' not in line:
            continue
        document = json.loads(line)
        for block in document["_aws"]["CloudWatchMetrics"]:
            for metric in block["Metrics"]:
                name, value = metric["Name"], document[metric["Name"]]
                others = [document[dimension] for dimension in block["Dimensions"][0] if dimension != "service"]
                found[" of ".join([name, *others])] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found
