"""Logs, traces and metrics of every function, named alike.

`POWERTOOLS_SERVICE_NAME` and `POWERTOOLS_METRICS_NAMESPACE` come from the template. Metrics carry the dimension
`service` (the domain), and another one only where an alarm needs it: each multiplies what CloudWatch charges.
"""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer

from kernel.errors import ValidationError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch import BatchProcessor

logger = Logger()
tracer = Tracer()
metrics = Metrics()


def log_failures(processor: "BatchProcessor") -> None:
    """Log why messages of a batch come again: the processor keeps it to itself while others succeed."""
    for _, error, _ in processor.exceptions:
        logger.warning("message comes again", error=type(error).__name__, reason=_reason(error))


def _reason(error: BaseException | None) -> str:
    """Return why a message was not taken; of one that is none the fields, and nothing of what they hold."""
    return "; ".join(error.unquoted) if isinstance(error, ValidationError) else str(error)
