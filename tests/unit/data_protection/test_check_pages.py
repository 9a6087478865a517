import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.contracts import ListPlaces
from data_protection.remediation.contracts import PlanRemediation
from local.paths import ROOT
from tests.docs import CHECKS, check_pages

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_pages_in_docs_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in CHECKS.glob("*.md")}

    assert written == check_pages(), "docs/checks is behind: python -m tests.docs"


def test_a_page_says_what_is_read_and_what_is_changed() -> None:
    page = check_pages()["DDB-PITR.md"]

    for told in ("`dynamodb:DescribeContinuousBackups`", "`dynamodb:UpdateContinuousBackups`", "DynamoDB.2", "Phase 1"):
        assert told in page


def test_every_check_is_in_the_index() -> None:
    index = check_pages()["README.md"]

    assert all(f"[{check}]({check}.md)" in index for check in catalogue())


@pytest.mark.parametrize("check", catalogue().values(), ids=lambda check: check.id)
def test_runbook_of_a_check_is_its_page_whose_commands_the_machines_take(check: Check[Any]) -> None:
    page = (ROOT / check.runbook).read_text()
    inputs = re.findall(r"^    gatehouse run \w+ --env prod --input '(.*)'$", page, re.MULTILINE)
    *remediations, again = map(json.loads, inputs)

    assert page == check_pages()[f"{check.id}.md"]
    assert "\n## Runbook\n" in page
    assert ListPlaces(run="r", time=NOW, **again).accounts
    # `gatehouse run` adds who asks: a command that names somebody would be pasted in another's name.
    asked = [PlanRemediation(run="r", time=NOW, requested_by="arn", **one) for one in remediations]
    if check.mutator is None:
        assert asked == []
        return
    plan, applied = asked
    assert (plan.phases, plan.dry_run, applied.dry_run) == ((check.mutator.phase,), True, False)
    # What does not come back is planned only where it is named.
    assert plan.named == (frozenset() if check.mutator.reversibility.comes_back else {check.id})
