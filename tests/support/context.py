"""A Lambda context for handlers that are called in this process."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """What Powertools and our handlers read of a context."""

    function_name: str = "gatehouse-test"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 4096
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:gatehouse-test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return plenty."""
        return 900_000
