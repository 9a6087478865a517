"""RDS in each estate of the fleet, with the budget that its calls are paid from, and what is kept of its answers."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from database_logs.adapters.budget import Budget
from database_logs.adapters.complete_file import CompleteFiles
from database_logs.adapters.fleet import EstateSessions
from database_logs.adapters.rds import FleetApi, LogApi, RdsApi
from database_logs.adapters.response_cache import DynamoDbCache, ValkeyCache, valkey
from database_logs.discovery.responses import Cache, MemoryCache, Responses
from kernel import aws

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from mypy_boto3_dynamodb import DynamoDBClient

    from database_logs.discovery.fleet import Estate, Fleet

Api = TypeVar("Api", bound=RdsApi)


class Apis(Generic[Api]):
    """RDS, by estate; of one call of a function.

    Args:
        fleet: The estates.
        dynamodb: The client.
        tables: Names of the tables `tracking` and `instance-metadata`.
        valkey_url: Of the Valkey that keeps answers instead of DynamoDB; empty without one.
        now: The time.
    """

    IAM: ClassVar = Budget.IAM | DynamoDbCache.IAM | EstateSessions.IAM
    _kind: type[Api]
    # A file takes some calls, and what is left of the tokens is lost.
    _lease: ClassVar = 5

    def __init__(
        self,
        fleet: "Fleet",
        dynamodb: "DynamoDBClient",
        tables: tuple[str, str],
        valkey_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._fleet = fleet
        self._dynamodb = dynamodb
        self._tracking, metadata = tables
        self._now = now
        self._shared: Cache = ValkeyCache(valkey(valkey_url)) if valkey_url else DynamoDbCache(dynamodb, metadata, now)
        self._apis: dict[str, Api] = {}

    def of(self, estate: "Estate") -> Api:
        """Return the API of an estate.

        Raises:
            AccessRefused: STS refuses the estate's role.
        """
        place = estate.place
        if place not in self._apis:
            rds = aws.rds(EstateSessions().of(estate), estate.region)
            budget = Budget(
                self._dynamodb, self._tracking, place, ceiling=self._fleet.rate, now=self._now, lease=self._lease
            )
            owner = (estate.account, estate.region, estate.role_arn or "")
            self._apis[place] = self._kind(rds, budget, Responses(memory(), self._shared, owner, self._now))
        return self._apis[place]

    def measure(self, metrics: "Metrics") -> None:
        """Emit what was asked of RDS, how often it failed, and how often it throttled, which is no failure."""
        apis = self._apis.values()
        metrics.add_metric("RdsCalls", "Count", sum(api.budget.spent for api in apis))
        metrics.add_metric("RdsCallsFailed", "Count", sum(api.calls.failed for api in apis))
        metrics.add_metric("RdsCallsThrottled", "Count", sum(api.budget.throttled for api in apis))
        metrics.add_metric("BudgetUsed", "Percent", 100 * max((api.budget.share for api in apis), default=0.0))
        metrics.add_metric("RdsAnswersReused", "Count", sum(api.uses.hits for api in apis))
        metrics.add_metric("CacheRequestsFailed", "Count", sum(api.uses.failures for api in apis))


class ListingApis(Apis[RdsApi]):
    """For listings of files."""

    IAM: ClassVar = Apis.IAM | RdsApi.IAM
    _kind = RdsApi


class FleetApis(Apis[FleetApi]):
    """For discovery."""

    IAM: ClassVar = Apis.IAM | FleetApi.IAM
    _kind = FleetApi
    # A pass makes some hundred calls.
    _lease = 10


class LogApis(Apis[LogApi]):
    """For collection."""

    IAM: ClassVar = Apis.IAM | LogApi.IAM
    _kind = LogApi


@cache
def memory() -> MemoryCache:
    """Return what this process itself remembers of RDS' answers."""
    return MemoryCache()


class CompleteApis:
    """Complete files, by estate; paid for like all that is asked of RDS."""

    IAM: ClassVar = CompleteFiles.IAM | EstateSessions.IAM

    def __init__(self, apis: LogApis) -> None:
        self._apis = apis

    def of(self, estate: "Estate") -> CompleteFiles:
        """Return the path to complete files of an estate.

        Raises:
            AccessRefused: STS refuses the estate's role.
        """
        session = EstateSessions().of(estate)
        api = self._apis.of(estate)
        return CompleteFiles(session, aws.rds(session, estate.region), api.budget, api.calls)
