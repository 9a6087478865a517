"""The logs that the benchmark parses are logs of their kinds."""

import random
from itertools import islice

import pytest

from bench.rds_logs import KINDS
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from tests.support.postgres_logs import segment_of

_TYPES = {
    "postgres": LogType.POSTGRES_STDERR,
    "csv": LogType.POSTGRES_CSV,
    "slow": LogType.MYSQL_SLOW,
    "audit": LogType.MYSQL_AUDIT,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_generated_record_is_one_that_is_parsed(kind: str) -> None:
    records = list(islice(KINDS[kind](random.Random(1)), 300))  # noqa: S311 - no secret
    data = "".join(records).encode()
    frame = parse(segment_of(data, _TYPES[kind]), data)
    assert frame["raw"].to_list() == records
    assert frame["parse_status"].unique().to_list() == ["ok"]
