"""What AWS charges: one table, in USD, for us-east-1 on demand.

Checked against the public price pages; `AS_OF` says when. Estimates use it, bills do not: compare with the bill once
in a while and mend the table here.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

AS_OF: Final = date(2026, 11, 1)

LAMBDA_GB_SECOND: Final = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
LAMBDA_REQUEST: Final = 0.20 / 1e6
STATES_TRANSITION: Final = 0.025 / 1e3
S3_PUT: Final = 0.005 / 1e3
S3_GET: Final = 0.0004 / 1e3
DYNAMODB_WRITE: Final = 0.625 / 1e6


@dataclass(frozen=True)
class Usage:
    """Counted use of one run."""

    architecture: str
    lambda_gb_seconds: float
    lambda_requests: int
    state_transitions: int
    s3_puts: int
    s3_gets: int
    dynamodb_writes: int


def estimate(usage: Usage) -> dict[str, float]:
    """Return USD by component."""
    return {
        "lambda_compute": usage.lambda_gb_seconds * LAMBDA_GB_SECOND[usage.architecture],
        "lambda_requests": usage.lambda_requests * LAMBDA_REQUEST,
        "step_functions": usage.state_transitions * STATES_TRANSITION,
        "s3_puts": usage.s3_puts * S3_PUT,
        "s3_gets": usage.s3_gets * S3_GET,
        "dynamodb": usage.dynamodb_writes * DYNAMODB_WRITE,
    }
