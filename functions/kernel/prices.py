"""What AWS charges: one table, in USD, for us-east-1 on demand, without free tiers and discounts.

AWS's price pages are the source, but most fill in their figures by script. So each price names the page on which the
figure was read, and of which date that page is; the last such look was at `AS_OF`. Estimates use the table, bills do
not: compare with the bill once in a while and mend the table here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final

AS_OF: Final = date(2026, 11, 21)
REGION: Final = "us-east-1"
_HOLDS_FOR: Final = timedelta(days=365)

# An assumption, not a price: Spot follows supply. AWS says "up to 70 %" less (https://aws.amazon.com/fargate/pricing/).
FARGATE_SPOT_FACTOR: Final = 0.35


@dataclass(frozen=True)
class Price:
    """One line of a price page.

    Attributes:
        usd: For `amount` units.
        amount: As the page has it.
        unit: What is counted.
        source: AWS's page.
        read: Where the figure was read, and of when that is; None where it was found nowhere: unverified.
    """

    usd: float
    amount: float
    unit: str
    source: str
    read: str | None = None

    @property
    def each(self) -> float:
        """USD for one unit."""
        return self.usd / self.amount


_LAMBDA: Final = "https://aws.amazon.com/lambda/pricing/"
_FARGATE: Final = "https://aws.amazon.com/fargate/pricing/"
_EC2: Final = "https://aws.amazon.com/ec2/pricing/on-demand/"
_STATES: Final = "https://aws.amazon.com/step-functions/pricing/"
_S3: Final = "https://aws.amazon.com/s3/pricing/"
_DYNAMODB: Final = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_SQS: Final = "https://aws.amazon.com/sqs/pricing/"
_KMS: Final = "https://aws.amazon.com/kms/pricing/"
_EVENTBRIDGE: Final = "https://aws.amazon.com/eventbridge/pricing/"
_CLOUDWATCH: Final = "https://aws.amazon.com/cloudwatch/pricing/"
_CLOUDTRAIL: Final = "https://aws.amazon.com/cloudtrail/pricing/"
_GUARDDUTY: Final = "https://aws.amazon.com/guardduty/pricing/"
_ATHENA: Final = "https://aws.amazon.com/athena/pricing/"

# Pages that print the figures for us-east-1.
_LAMBDA_READ: Final = "https://cloudchipr.com/blog/aws-lambda-pricing (2024)"
_FARGATE_READ: Final = "https://www.vantage.sh/blog/fargate-pricing (2021)"
_FARGATE_X86_READ: Final = "https://www.wring.co/blog/aws-fargate-pricing-guide (2026-03-10)"
_S3_READ: Final = "https://athena.guide/articles/athena-basics-pricing-model (2020-10-15)"
_DYNAMODB_READ: Final = "https://airbyte.com/data-engineering-resources/dynamodb-pricing (2025-07-21)"
_SQS_READ: Final = "https://cloudburn.io/blog/amazon-sqs-pricing (2026-03-14)"
_KMS_READ: Final = "https://www.wring.co/blog/aws-kms-pricing-guide (2026-03-15)"
_EVENTBRIDGE_READ: Final = "https://cloudburn.io/blog/amazon-eventbridge-pricing (2026-03-13)"
_METRICS_READ: Final = "https://signoz.io/guides/cloudwatch-pricing (2026-02-15)"
_LOGS_READ: Final = (
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/ (undated)"
)
_STORAGE_READ: Final = "https://go-cloud.io/?p=10624 (undated)"
_CLASSES_READ: Final = "https://www.usage.ai/blogs/aws/storage-cost/glacier-deep-archive-pricing/ (2026-06-05)"
_ARCHIVING_READ: Final = "https://awsnegotiations.com/glacier-vs-glacier-deep-archive.html (2026-05)"
_TIERING_READ: Final = "https://awsnegotiations.com/s3-storage.html (2026)"
_RETRIEVING_READ: Final = "https://repost.aws/knowledge-center/s3-manage-data-retrieval (undated)"
_LOGS_STORAGE_READ: Final = "https://c3x.dev/blog/cloudwatch-logs-cost-optimization (2026-06)"
_LIST_READ: Final = (
    "AWS's price list AmazonS3 of 2026-08-07, as quoted in the public document "
    "'AWS infrastructure pricing and quotas for AgentLab' (2026-08-16)"
)
_ALARMS_READ: Final = "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm (undated)"
_CLOUDTRAIL_READ: Final = "AWS's page itself (undated copy)"
_GUARDDUTY_READ: Final = (
    "https://www.factualminds.com/blog/amazon-guardduty-pricing-data-sources-multi-account/ (2026-06-13)"
)

PRICES: Final[Mapping[str, Price]] = {
    "lambda_compute_x86_64": Price(0.0000166667, 1, "GB-second", _LAMBDA, _LAMBDA_READ),
    "lambda_compute_arm64": Price(0.0000133334, 1, "GB-second", _LAMBDA, _LAMBDA_READ),
    "lambda_storage": Price(0.0000000309, 1, "GB-second of /tmp beyond 512 MB", _LAMBDA),
    "lambda_requests": Price(0.20, 1e6, "call", _LAMBDA, "https://git.mcrn.ar/mariano/lambda_local_runner (undated)"),
    "fargate_vcpus_x86_64": Price(0.04048, 3600, "vCPU-second", _FARGATE, _FARGATE_X86_READ),
    "fargate_vcpus_arm64": Price(0.03238, 3600, "vCPU-second", _FARGATE, _FARGATE_READ),
    "fargate_memory_x86_64": Price(0.004445, 3600, "GB-second", _FARGATE, _FARGATE_X86_READ),
    "fargate_memory_arm64": Price(0.00356, 3600, "GB-second", _FARGATE, _FARGATE_READ),
    # No part of Gatehouse: what the scale benchmark compares it with.
    "ec2_r6i_4xlarge": Price(1.008, 3600, "second of an r6i.4xlarge with Linux", _EC2),
    "step_functions": Price(0.025, 1e3, "state transition", _STATES, "AWS's page itself (undated copy)"),
    "s3_puts": Price(0.005, 1e3, "PUT, COPY or POST", _S3),
    "s3_lists": Price(0.005, 1e3, "LIST", _S3, _S3_READ),
    "s3_gets": Price(0.0004, 1e3, "GET or HEAD", _S3, _S3_READ),
    "s3_deletes": Price(0, 1e3, "DELETE", _S3),
    "dynamodb_writes": Price(0.625, 1e6, "write request unit (1 KB)", _DYNAMODB, _DYNAMODB_READ),
    "dynamodb_reads": Price(0.125, 1e6, "read request unit (4 KB, consistent)", _DYNAMODB, _DYNAMODB_READ),
    "sqs": Price(0.40, 1e6, "request", _SQS, _SQS_READ),
    "kms": Price(0.03, 1e4, "request", _KMS, _KMS_READ),
    "eventbridge": Price(1.00, 1e6, "event of ours", _EVENTBRIDGE, _EVENTBRIDGE_READ),
    "cloudwatch_metrics": Price(0.30, 1, "metric and month", _CLOUDWATCH, _METRICS_READ),
    "cloudwatch_logs": Price(0.50, 1, "GB taken in", _CLOUDWATCH, _LOGS_READ),
    "athena": Price(5.00, 1, "TB scanned", _ATHENA, _S3_READ),
    "sqs_fifo": Price(0.50, 1e6, "request to a FIFO queue", _SQS, _SQS_READ),
    "s3_storage": Price(0.023, 1, "GB and month of the first 50 TB", _S3, _STORAGE_READ),
    "cloudwatch_logs_storage": Price(0.03, 1, "GB and month", _CLOUDWATCH, _LOGS_STORAGE_READ),
    # What data_protection costs beside what it uses: it is priced by bench/protection_scale.py alone.
    "cloudwatch_alarms": Price(0.10, 1, "metric of an alarm, and month", _CLOUDWATCH, _ALARMS_READ),
    "kms_keys": Price(1.00, 1, "key and month", _KMS, _KMS_READ),
    "cloudtrail_copies": Price(2.00, 1e5, "management event of a further copy", _CLOUDTRAIL, _CLOUDTRAIL_READ),
    "guardduty_events": Price(4.00, 1e6, "management event analysed", _GUARDDUTY, _GUARDDUTY_READ),
    # What S3 asks by storage class: for keeping, for moving an object there by a lifecycle, and for reading it back.
    "s3_storage_standard_ia": Price(0.0125, 1, "GB and month", _S3, _CLASSES_READ),
    "s3_storage_onezone_ia": Price(0.01, 1, "GB and month", _S3, _CLASSES_READ),
    "s3_storage_intelligent_infrequent": Price(0.0125, 1, "GB and month, unread for 30 days", _S3),
    "s3_storage_intelligent_instant": Price(0.004, 1, "GB and month, unread for 90 days", _S3),
    "s3_storage_glacier_ir": Price(0.004, 1, "GB and month", _S3, _CLASSES_READ),
    "s3_storage_glacier": Price(0.0036, 1, "GB and month", _S3, _CLASSES_READ),
    "s3_storage_deep_archive": Price(0.00099, 1, "GB and month", _S3, _CLASSES_READ),
    "s3_monitoring": Price(0.0025, 1e3, "object of 128 KB and more, and month", _S3, _TIERING_READ),
    "s3_transitions_standard_ia": Price(0.01, 1e3, "object", _S3, "c.doit.com (undated)"),
    "s3_transitions_onezone_ia": Price(0.01, 1e3, "object", _S3, _LIST_READ),
    "s3_transitions_intelligent_tiering": Price(0.01, 1e3, "object", _S3),
    "s3_transitions_glacier_ir": Price(0.02, 1e3, "object", _S3, "https://bvisser.me/blog/s3 (undated)"),
    "s3_transitions_glacier": Price(0.03, 1e3, "object", _S3, _ARCHIVING_READ),
    "s3_transitions_deep_archive": Price(0.05, 1e3, "object", _S3, _ARCHIVING_READ),
    "s3_retrieval_standard_ia": Price(0.01, 1, "GB", _S3, _CLASSES_READ),
    "s3_retrieval_onezone_ia": Price(0.01, 1, "GB", _S3, _CLASSES_READ),
    "s3_retrieval_glacier_ir": Price(0.03, 1, "GB", _S3, _CLASSES_READ),
    "s3_retrieval_glacier": Price(0.01, 1, "GB, standard", _S3, _CLASSES_READ),
    "s3_retrieval_deep_archive": Price(0.02, 1, "GB, standard", _S3, _CLASSES_READ),
    "s3_restores_glacier": Price(0.05, 1e3, "object, standard", _S3, _RETRIEVING_READ),
    "s3_restores_deep_archive": Price(0.10, 1e3, "object, standard", _S3),
}

_STANDARD_ELSEWHERE: Final = "GB and month of the first 50 TB"

# What is known of other regions: too little to estimate by it. Estimates take the prices of one region, all of them: to
# compare one of Frankfurt with one of Virginia would tell of nowhere.
ELSEWHERE: Final[Mapping[str, Mapping[str, Price]]] = {
    "eu-central-1": {
        "s3_storage": Price(0.0245, 1, _STANDARD_ELSEWHERE, _S3, _LIST_READ),
        "s3_storage_standard_ia": Price(0.0135, 1, "GB and month", _S3, _LIST_READ),
        "s3_transitions_standard_ia": Price(0.01, 1e3, "object", _S3, _LIST_READ),
        "s3_transitions_onezone_ia": Price(0.01, 1e3, "object", _S3, _LIST_READ),
        "s3_transitions_glacier_ir": Price(0.02, 1e3, "object", _S3, _LIST_READ),
        "s3_monitoring": Price(0.0025, 1e3, "object and month", _S3, _LIST_READ),
    },
    "eu-west-1": {
        "s3_storage": Price(0.023, 1, _STANDARD_ELSEWHERE, _S3, _LIST_READ),
        "s3_storage_standard_ia": Price(0.0125, 1, "GB and month", _S3, _LIST_READ),
        "s3_transitions_standard_ia": Price(0.01, 1e3, "object", _S3, _LIST_READ),
        "s3_transitions_onezone_ia": Price(0.01, 1e3, "object", _S3, _LIST_READ),
        "s3_transitions_glacier_ir": Price(0.02, 1e3, "object", _S3, _LIST_READ),
        "s3_monitoring": Price(0.0025, 1e3, "object and month", _S3, _LIST_READ),
    },
}

# What requests of ours count as, by service and operation; what is not here costs nothing by the request.
_COUNTED_AS: Final[Mapping[str, str]] = {
    "s3.PutObject": "s3_puts",
    "s3.CopyObject": "s3_puts",
    "s3.CreateMultipartUpload": "s3_puts",
    "s3.UploadPart": "s3_puts",
    "s3.CompleteMultipartUpload": "s3_puts",
    "s3.ListObjectsV2": "s3_lists",
    "s3.ListObjectVersions": "s3_lists",
    "s3.GetObject": "s3_gets",
    "s3.HeadObject": "s3_gets",
    "s3.DeleteObject": "s3_deletes",
    "s3.DeleteObjects": "s3_deletes",
    "dynamodb.PutItem": "dynamodb_writes",
    "dynamodb.UpdateItem": "dynamodb_writes",
    "dynamodb.DeleteItem": "dynamodb_writes",
    "dynamodb.BatchWriteItem": "dynamodb_writes",
    "dynamodb.TransactWriteItems": "dynamodb_writes",
    "dynamodb.GetItem": "dynamodb_reads",
    "dynamodb.BatchGetItem": "dynamodb_reads",
    "dynamodb.Query": "dynamodb_reads",
    "eventbridge.PutEvents": "eventbridge",
    "sqs.SendMessage": "sqs",
    "sqs.SendMessageBatch": "sqs",
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Counted use, in the units of `PRICES`: every field but the first two is a component of the estimate.

    Attributes:
        architecture: Of functions and tasks: `arm64` or `x86_64`.
        fargate_spot: Whether the tasks ran on spare capacity.
        lambda_storage: GB-seconds of /tmp beyond 512 MB.
        cloudwatch_metrics: Metrics times months.
        cloudwatch_logs: GB.
        athena: TB.
        s3_storage: GB times months.
        cloudwatch_logs_storage: GB times months.
    """

    architecture: str
    fargate_spot: bool = False
    lambda_gb_seconds: float = 0
    lambda_storage: float = 0
    lambda_requests: int = 0
    fargate_vcpu_seconds: float = 0
    fargate_gb_seconds: float = 0
    state_transitions: int = 0
    s3_puts: int = 0
    s3_lists: int = 0
    s3_gets: int = 0
    s3_deletes: int = 0
    dynamodb_writes: int = 0
    dynamodb_reads: int = 0
    sqs: int = 0
    kms: int = 0
    eventbridge: int = 0
    cloudwatch_metrics: float = 0
    cloudwatch_logs: float = 0
    athena: float = 0
    sqs_fifo: int = 0
    s3_storage: float = 0
    cloudwatch_logs_storage: float = 0


# Counters that are not called like what they cost.
_COMPONENTS: Final = {
    "lambda_gb_seconds": "lambda_compute",
    "fargate_vcpu_seconds": "fargate_vcpus",
    "fargate_gb_seconds": "fargate_memory",
    "state_transitions": "step_functions",
}
_COUNTERS: Final = {
    _COMPONENTS.get(f.name, f.name): f.name for f in fields(Usage) if f.name not in {"architecture", "fargate_spot"}
}
COMPONENTS: Final = tuple(_COUNTERS)


def estimate(usage: Usage) -> dict[str, float]:
    """Return USD by component."""
    return {component: getattr(usage, counter) * _price(component, usage) for component, counter in _COUNTERS.items()}


def counted(requests: Mapping[str, int]) -> dict[str, int]:
    """Return requests, by service and operation, as fields of Usage."""
    found: dict[str, int] = {}
    for name, number in requests.items():
        component = _COUNTED_AS.get(name)
        if component is not None:
            found[component] = found.get(component, 0) + number
    return found


def problems(today: date, table: Mapping[str, Price] = PRICES, as_of: date = AS_OF) -> Iterator[str]:
    """Yield what is wrong with the table, in sentences: estimates made from it are to be doubted."""
    for component in COMPONENTS:
        for name in (component, f"{component}_arm64", f"{component}_x86_64"):
            if name in table:
                break
        else:
            yield f"The price table of functions/kernel/prices.py has no price of '{component}'."
    for name, price in table.items():
        if not (math.isfinite(price.usd) and price.usd >= 0 and price.amount > 0):
            yield (
                f"The price table of functions/kernel/prices.py says that '{name}' costs {price.usd} USD for "
                f"{price.amount:g} times {price.unit}: mend it by {price.source}."
            )
    if today - as_of > _HOLDS_FOR:
        yield (
            f"The price table of functions/kernel/prices.py is of {as_of}, over a year old: compare it with the price "
            "pages that it names, and move AS_OF."
        )


def _price(component: str, usage: Usage) -> float:
    if component in PRICES:
        return PRICES[component].each
    price = PRICES[f"{component}_{usage.architecture}"].each
    return price * FARGATE_SPOT_FACTOR if usage.fargate_spot and component.startswith("fargate") else price
