"""What a runbook asks the ledger for is in the ledger: at night nobody wants a query that silently finds nothing."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import boto3
import pytest

from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.tracking import Tracking
from database_logs.adapters.turns import Turns
from database_logs.collection.ledger import Gap, Reason
from database_logs.collection.unlisted import Unlisted
from database_logs.discovery.facts import Facts
from database_logs.discovery.files import Known
from database_logs.discovery.instances import Instance
from firewall_logs.adapters.days import DaySeals
from firewall_logs.adapters.ledger import LedgerClaims, LedgerCommits, LedgerLease
from firewall_logs.contracts import Account
from local.paths import ROOT
from tests.support.aws import DAYS, LEDGER, account, entry
from tests.support.firewall import NOW, OBJECT_ID, RUN_ID, a_source

# An attribute in a JMESPath query stands before its DynamoDB type: `state.S`.
QUERIED = re.compile(r"\b(\w+)\.(?:S|N|NS|BOOL)\b")
# In an expression, what is neither a placeholder, a function nor a keyword.
BARE = re.compile(r"(?<![#:\w])([a-z]\w*)(?!\w*\()")


def ledger_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a document that reads a table."""
    for block in re.findall(r"(?:^ {4,}\S.*\n)+", text, re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if re.search("aws dynamodb (scan|query|get-item)", line):
                yield shlex.split(line)


def attributes(command: list[str]) -> set[str]:
    """Return the attributes that a command mentions."""
    options = dict(pairwise(command))
    named = set(json.loads(options.get("--expression-attribute-names", "{}")).values())
    filtered = set(BARE.findall(options.get("--filter-expression", "")))
    return named | filtered | set(QUERIED.findall(options.get("--query", "")))


@pytest.fixture(scope="module")
def written() -> set[str]:
    """Return every attribute of an object from its claim to its commit, of a blocked day, of a gap and of a file."""
    found: set[str] = set()
    with account():
        dynamodb = boto3.client("dynamodb")
        LedgerClaims(dynamodb, LEDGER).claim(OBJECT_ID, a_source(), RUN_ID, now=NOW, lease_seconds=60)
        LedgerLease(dynamodb, LEDGER).mark_written(OBJECT_ID, 1, 0)
        found |= entry(OBJECT_ID).keys()
        LedgerCommits(dynamodb, LEDGER).commit(OBJECT_ID, 1, Account(), defect=None, now=NOW)
        day = NOW.date()
        seals = DaySeals(dynamodb, DAYS)
        seals.claim(day, "seal-1", now=NOW, lease_seconds=60)
        seals.blocked(day, "seal-1", "why")
        items = dynamodb.scan(TableName=DAYS)["Items"] + _tracked(dynamodb)
        return found | entry(OBJECT_ID).keys() | {name for item in items for name in item}


def _tracked(dynamodb: Any) -> list[dict[str, Any]]:
    """Return the items of a gap, of a file that was queued, and of an instance."""
    for name, *keys in (("tracking", "resource", "item"), ("metadata", "resource", "item"), ("jobs", "job_id")):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    tracking = Tracking(dynamodb, ("tracking", "jobs"))
    position = tracking.acquire("db-1", "error/postgresql.log", "worker", NOW, timedelta(minutes=1))
    tracking.lose("db-1", position, Gap(0, 10, Reason.PURGED), NOW)
    Turns(dynamodb, "tracking").note("db-1", [Known("error/postgresql.log", 10, NOW, None, settled=False, final=False)])
    hours = Unlisted("error/postgresql.log", NOW - timedelta(hours=2), NOW, Reason.NEVER_LISTED)
    Turns(dynamodb, "tracking").miss("db-1", hours, NOW)
    instance = Instance(dbi_resource_id="db-1", instance_id="orders-1", engine="mysql", status="available")
    InstanceFacts(dynamodb, "metadata", lambda: NOW).put(
        "111122223333/eu-central-1", Facts(instance=instance, first_seen=NOW, last_seen=NOW)
    )
    items: list[dict[str, Any]] = dynamodb.scan(TableName="tracking")["Items"]
    known: list[dict[str, Any]] = dynamodb.scan(TableName="metadata")["Items"]
    return [item for item in items if item["item"]["S"].startswith(("gap#", "file#"))] + known


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=path.stem)
        for path in sorted(ROOT.glob("docs/runbooks/*.md"))
        for command in ledger_commands(path.read_text())
    ],
)
def test_runbook_asks_for_attributes_that_the_tables_have(command: list[str], written: set[str]) -> None:
    assert attributes(command)
    assert attributes(command) <= written


def test_attributes_are_found_wherever_a_command_mentions_them() -> None:
    text = """

    aws dynamodb scan --table-name "$(out Table)" --filter-expression 'contains(#o, :key) AND epoch > :n' \\
      --expression-attribute-names '{"#o": "source"}' --expression-attribute-values '{":key": {"S": "x"}}' \\
      --query 'Items[].[object_id.S, state.S]' --output text
    aws s3 ls
"""
    [command] = ledger_commands(text)
    assert attributes(command) == {"source", "epoch", "object_id", "state"}
