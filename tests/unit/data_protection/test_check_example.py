"""The check that contributors are shown is one: it is loaded from the page and held to what every check is held to."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import data_protection.checks as package
from data_protection.assessments import cases
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check
from data_protection.drift.calls import CALLS
from data_protection.readings import Missing, Unreadable
from data_protection.reads.dynamodb import TABLE
from data_protection.verdicts import Status
from local.paths import ROOT
from tests.docs import check_pages
from tests.support.data_protection_account import NOW, ORDERS, changes, profile, snapshot, verdict
from tests.support.data_protection_healthy import TABLE as HEALTHY
from tests.support.data_protection_healthy import healthy
from tests.unit.data_protection import test_reads as every_check

ID, RARE = "DDB-CLASS", {"name": "STANDARD_INFREQUENT_ACCESS"}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Check[Any]]:
    """The example, found by the catalogue as if its module were among the others."""
    page = (ROOT / "docs" / "data_protection_checks.md").read_text("utf-8")
    [module] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [name] = re.findall(r"`(dynamodb_\w+)\.py`", page)
    (tmp_path / f"{name}.py").write_text(module, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    catalogue.cache_clear()
    yield catalogue()[ID]
    catalogue.cache_clear()
    del sys.modules[f"{package.__name__}.{name}"]
    delattr(package, name)


def table(name: str) -> dict[Any, Any]:
    return healthy() | {(ORDERS, TABLE): {"Table": HEALTHY | {"TableClassSummary": {"TableClass": name}}}}


@pytest.mark.usefixtures("check")
def test_example_judges_as_every_check_does() -> None:
    assert verdict(ID, ORDERS, healthy()).status is Status.PASS
    assert verdict(ID, ORDERS, healthy(), RARE).reason == "Its class is STANDARD."
    assert verdict(ID, ORDERS, table(RARE["name"]), RARE).status is Status.PASS
    assert verdict(ID, ORDERS, {(ORDERS, TABLE): Unreadable("AccessDenied", "no")}).status is Status.UNKNOWN
    assert verdict(ID, ORDERS, {(ORDERS, TABLE): {"Unheard": "of"}}).status is Status.UNKNOWN
    assert verdict(ID, ORDERS, {(ORDERS, TABLE): Missing("ResourceNotFoundException")}).status is Status.FAIL


def test_example_changes_what_it_judges_and_can_tell_that_it_did(check: Check[Any]) -> None:
    [change] = changes(ID, ORDERS, healthy(), RARE)
    assert check.mutator is not None

    for there, stands in ((healthy(), change.before), (table(RARE["name"]), change.after)):
        [(_, case)] = cases(snapshot(there), profile({ORDERS: {ID: RARE}}), NOW)
        assert check.mutator.present(case, change) == stands
    assert change.reversibility is check.mutator.reversibility
    assert change.inverse is not None


def test_example_needs_no_right_and_no_event_that_others_do_not_need_already(check: Check[Any]) -> None:
    others = [one.mutator for one in catalogue().values() if one.id != ID and one.mutator is not None]
    assert check.mutator is not None

    every_check.test_mutator_needs_the_actions_of_what_it_may_call(check)
    every_check.test_reads_that_others_lead_to_are_of_other_resources(check)
    assert check.mutator.actions <= {
        action for one in others if one.phase == check.mutator.phase for action in one.actions
    }
    assert set(check.reads) <= {read for watched in CALLS.values() for read in watched.reads}


@pytest.mark.usefixtures("check")
def test_example_has_its_page() -> None:
    pages = check_pages()

    assert "`STANDARD`, `STANDARD_INFREQUENT_ACCESS`" in pages[f"{ID}.md"]
    assert f"[{ID}]({ID}.md)" in pages["README.md"]
