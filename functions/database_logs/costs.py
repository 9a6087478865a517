"""What a call that collects or parses costs, from what it really used, at the list prices of the kernel.

The figure goes into the call's log line beside the instance and its tags: added up by instance, or by any tag, it says
whom the domain's bill is for. Storage, and what the machines and queues cost by themselves, is in the bill only.
"""

from kernel.metering import Taken
from kernel.prices import Usage, counted, estimate


def usd(taken: Taken, architecture: str) -> float:
    """Return the USD of one call of a function: its GB-seconds, the call, and its requests to AWS.

    Args:
        taken: By the call. Portions that are under way at once wait together: their seconds count once.
        architecture: Of the function: `arm64` or `x86_64`.
    """
    usage = Usage(
        architecture=architecture,
        lambda_gb_seconds=taken.memory_mb / 1024 * taken.seconds,
        lambda_requests=1,
        **counted(taken.requests),  # type: ignore[arg-type]  # whole numbers, none of them the flag
    )
    return sum(estimate(usage).values())
