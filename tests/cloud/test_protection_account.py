"""The account that the demo begins with, as the checks see it, and what fixing all of it leaves of others."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_protection.adapters.calls import Calls
from data_protection.adapters.snapshots import Snapshots
from data_protection.assessments import Assessment, assess
from data_protection.changes import CannotChange
from data_protection.collection import Questions
from data_protection.profiles import Profile, parse
from data_protection.readings import Found
from data_protection.resources import Place
from data_protection.snapshot import ResourceMissing
from data_protection.verdicts import Status
from demo.protection_account import Account
from demo.protection_world import World
from local.supervisor import EmbeddedCloud
from tests.support.data_protection_account import operation

pytestmark = pytest.mark.cloud

NUMBER = "777777777777"
SHIPPED = Path("functions/data_protection/profiles_shipped/rfc-008.yaml")
# What the standard counted first: four kinds on six tables, four on three buckets.
COUNTED = {"DDB-PITR", "DDB-DELPROT", "DDB-STREAM", "DDB-KMS", "S3-VERSION", "S3-LOCK", "S3-LOG", "S3-LIFECYCLE"}
DATA = ("audio", "transcripts", "logs")
PHASES = (1, 2, 3, 4)


class Estate:
    """The account in the embedded cloud, and ours that looks at it and fixes it."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.place = Place(NUMBER, cloud.state.region)

        def client(service: str, _region: str = "") -> Any:
            return cloud.client(service, NUMBER)

        self.account = Account(client, NUMBER, cloud.state.region)
        self.world = World(client, NUMBER, cloud.state.region)
        self._snapshots, self._calls = Snapshots(client), Calls(client)

    @property
    def profile(self) -> Profile:
        return parse(self.world.profile(SHIPPED.read_text("utf-8")))

    def look(self) -> Assessment:
        now = datetime.now(UTC)
        return assess(self._snapshots.take(Questions(self.place, self.profile), now), self.profile, now)

    def fix(self, phase: int) -> None:
        """Make what the mutators of a phase propose."""
        for finding in self.look().findings:
            mutator = finding.check.mutator
            if mutator is None or mutator.phase != phase or finding.status not in {Status.FAIL, Status.WARN}:
                continue
            try:
                changes = mutator.propose(finding.case)
            except (CannotChange, ResourceMissing):
                continue  # another fix comes first
            for change in changes:
                self._calls.make(finding.check.id, change.call, self.place.region)


@pytest.fixture(scope="module")
def estate(cloud: EmbeddedCloud) -> Estate:
    made = Estate(cloud)
    made.account.build()
    return made


def test_three_of_the_36_points_hold_and_seven_of_all(estate: Estate) -> None:
    found = estate.look()
    assert found.score.percent == 8.5
    assert Counter(finding.status for finding in found.findings) == {Status.PASS: 7, Status.FAIL: 75}
    counted = [
        finding
        for finding in found.findings
        if finding.check.id in COUNTED and not finding.resource.name.startswith("access-logs")
    ]
    assert len(counted) == 36
    assert {(one.check.id, one.resource.name) for one in counted if one.status is Status.PASS} == {
        ("DDB-PITR", "users"),
        ("DDB-DELPROT", "messages"),
        ("S3-VERSION", f"audio-{NUMBER}"),
    }


def test_answers_to_reads_have_what_awss_api_promises(estate: Estate) -> None:
    reads = {read.name: read for f in estate.look().findings for read in (*f.check.reads, *f.check.further)}
    lacking = {}
    for (resource, name), reading in estate.look().snapshot.readings.items():
        if name in reads and isinstance(reading, Found):
            shape = operation(reads[name].service, reads[name].operation).output_shape
            assert shape is not None
            if missing := set(shape.required_members) - reading.answer.keys():
                lacking[name, str(resource)] = missing
    assert lacking == {}


def test_all_of_it_can_be_fixed_and_nothing_of_others_is_lost(estate: Estate) -> None:
    foreign, contents = estate.account.foreign(), estate.account.contents()

    for phase in (*PHASES, *PHASES):
        estate.fix(phase)
        estate.world.pass_by()

    found = estate.look()
    assert [
        (f.check.id, f.resource.name, f.verdict.reason) for f in found.findings if f.status is not Status.PASS
    ] == []
    assert (found.score.percent, found.score.coverage) == (100, 100)
    assert estate.account.foreign() == foreign
    assert estate.account.contents() == contents
    assert [name for name in DATA if not foreign[name]["notifications"]] == []
