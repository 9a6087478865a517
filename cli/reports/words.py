"""Numbers and names as people read them."""

from datetime import datetime, timedelta
from typing import Final

# What each reason of docs/firewall_logs.md means, in the space of a table cell.
REASONS: Final = {
    "not_utf8": "the line is not UTF-8",
    "json_syntax": "the line is not JSON",
    "not_object": "JSON, but not an object",
    "duplicate_key": "a key occurs twice",
    "wrong_dataset": "a row of http_requests",
    "time_missing": "no event time",
    "time_type": "event time of a wrong type",
    "time_unit": "event time in no known unit",
    "time_format": "event time in no known format",
    "time_naive": "event time without a zone",
    "time_implausible": "before 2010 or in the future",
    "type_conflict": "a field of a wrong type",
    "out_of_range": "a number outside its range",
    "ip_invalid": "client address is no IP address",
    "empty": "no bytes",
    "not_gzip": "not gzip",
    "gzip_truncated": "gzip that ends too early",
    "gzip_corrupt": "gzip that is damaged",
    "parquet_unreadable": "parquet that cannot be read",
}

# The components of kernel.prices.
COMPONENTS: Final = {
    "lambda_compute": "Lambda, compute",
    "lambda_storage": "Lambda, disk",
    "lambda_requests": "Lambda, calls",
    "fargate_vcpus": "Fargate, CPU",
    "fargate_memory": "Fargate, memory",
    "step_functions": "Step Functions, transitions",
    "s3_puts": "S3, writes",
    "s3_lists": "S3, listings",
    "s3_gets": "S3, reads",
    "s3_deletes": "S3, deletions",
    "dynamodb_writes": "DynamoDB, writes",
    "dynamodb_reads": "DynamoDB, reads",
    "sqs": "SQS, requests",
    "kms": "KMS, requests",
    "eventbridge": "EventBridge, events",
    "cloudwatch_metrics": "CloudWatch, metrics",
    "cloudwatch_logs": "CloudWatch, logs",
    "athena": "Athena, bytes scanned",
    "sqs_fifo": "SQS, requests to FIFO queues",
    "s3_storage": "S3, storage",
    "cloudwatch_logs_storage": "CloudWatch, logs kept",
}


def size(count: float) -> str:
    """Return bytes in the unit that leaves at most three digits before the point."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - SI units
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(value: timedelta | float) -> str:
    """Return a duration in the two units that matter."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 60:  # noqa: PLR2004 - minutes begin here
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def money(usd: float) -> str:
    """Return dollars; below one with four digits, since a run costs fractions of a cent."""
    if 0 < usd < 0.0001:  # noqa: PLR2004 - the last digit shown
        return "< $0.0001"
    return f"${usd:.4f}" if 0 < usd < 1 else f"${usd:,.2f}"


def share(part: float, whole: float) -> str:
    """Return a share in percent; never 0 % or 100 % where that would be rounded to it."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.01:  # noqa: PLR2004 - the last digit shown
        return "< 0.01 %"
    if 99.99 < percent < 100:  # noqa: PLR2004
        return "> 99.99 %"
    return f"{percent:.2f} %"


def moment(at: datetime) -> str:
    """Return a time to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
