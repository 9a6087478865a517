"""What definitions of state machines say of their input."""

import pytest

from cli.machines import documented_input, domain, takes
from local.paths import ROOT

MACHINES = sorted(path.name.removesuffix(".asl.yaml") for path in (ROOT / "statemachines").glob("*/*.asl.yaml"))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_machine_documents_its_input(machine: str) -> None:
    assert documented_input(machine)


def test_machines_that_people_must_approve_take_who_asks() -> None:
    assert [machine for machine in MACHINES if takes(machine, "requested_by")] == ["lock_objects", "remediate_account"]


def test_machine_that_is_not_there_has_neither_domain_nor_input() -> None:
    assert (domain("nothing"), documented_input("nothing")) == ("", "")
    assert domain("assess_account") == "data_protection"
