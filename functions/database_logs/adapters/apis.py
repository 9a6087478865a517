"""RDS in each estate of the fleet, with the budget that its calls are paid from."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from database_logs.adapters.budget import Budget
from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.fleet import EstateSessions
from database_logs.adapters.rds import RdsApi
from kernel import aws

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from mypy_boto3_dynamodb import DynamoDBClient

    from database_logs.discovery.fleet import Estate, Fleet


class Apis:
    """Both ways to RDS, by estate; of one call of a function."""

    IAM: ClassVar = Budget.IAM | EstateSessions.IAM | RdsApi.IAM

    def __init__(self, fleet: "Fleet", dynamodb: "DynamoDBClient", table: str, now: Callable[[], datetime]) -> None:
        self._fleet = fleet
        self._dynamodb = dynamodb
        self._table = table
        self._now = now
        self._apis: dict[str, RdsApi] = {}

    def of(self, estate: "Estate") -> RdsApi:
        """Return the API of an estate.

        Raises:
            AccessRefused: STS refuses the estate's role.
        """
        place = estate.place
        if place not in self._apis:
            rds = aws.rds(EstateSessions().of(estate), estate.region)
            budget = Budget(self._dynamodb, self._table, place, ceiling=self._fleet.rate, now=self._now)
            self._apis[place] = RdsApi(rds, budget, self._now)
        return self._apis[place]

    def measure(self, metrics: "Metrics") -> None:
        """Emit what was asked of RDS, how often it failed, and how often it throttled, which is no failure."""
        metrics.add_metric("RdsCalls", "Count", sum(api.calls.made for api in self._apis.values()))
        metrics.add_metric("RdsCallsFailed", "Count", sum(api.calls.failed for api in self._apis.values()))
        metrics.add_metric("RdsCallsThrottled", "Count", sum(api.budget.throttled for api in self._apis.values()))


class CompleteApis:
    """Complete files, by estate."""

    IAM: ClassVar = CompleteFiles.IAM | EstateSessions.IAM

    def of(self, estate: "Estate") -> CompleteFiles:
        """Return the path to complete files of an estate.

        Raises:
            AccessRefused: STS refuses the estate's role.
        """
        session = EstateSessions().of(estate)
        return CompleteFiles(session, aws.rds(session, estate.region))
