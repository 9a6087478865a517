"""The account that the demo begins with, as the checks see it, and what fixing all of it leaves of others."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_protection.adapters.calls import Calls
from data_protection.adapters.snapshots import Snapshots
from data_protection.assessments import Assessment, assess, cases
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check
from data_protection.collection import Questions
from data_protection.errors import StepRefused
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
# Checks and the calls of theirs that have an inverse, as far as the account needs them.
UNDONE = {
    "BK-PLAN create_backup_vault",
    "CT-DATA put_event_selectors",
    "CT-HARDEN update_trail",
    "CT-LOGGING start_logging",
    "CW-ALARMS put_metric_alarm",
    "DDB-DELPROT update_table",
    "DDB-EXISTS update_table",
    "DDB-KMS update_table",
    "DDB-PITR update_continuous_backups",
    "DDB-SCALE put_scaling_policy",
    "DDB-SCALE register_scalable_target",
    "DDB-STREAM update_table",
    "DDB-TTL update_time_to_live",
    "KMS-ROT enable_key_rotation",
    "RDS-BACKUP modify_db_instance",
    "RDS-PUBLIC modify_db_instance",
    "RDS-TLS modify_db_parameter_group",
    "S3-BPA put_public_access_block",
    "S3-KMS put_bucket_encryption",
    "S3-LIFECYCLE put_bucket_lifecycle_configuration",
    "S3-LOG put_bucket_logging",
    "S3-LOG put_bucket_policy",
    "S3-TLS put_bucket_policy",
    "S3-VERSION put_bucket_lifecycle_configuration",
    "SNS-KMS put_key_policy",
    "SNS-KMS set_topic_attributes",
}
# What was changed, in order: what is undone at the end.
MADE: list[tuple[Check[Any], Case[Any], Change]] = []


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

    def fix(self, phase: int) -> list[tuple[Check[Any], Case[Any], Change]]:
        """Make what the mutators of a phase propose, and return it."""
        made = []
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
                made.append((finding.check, finding.case, change))
        return made

    def undo(self, change: Change) -> None:
        """Make the inverse call of a change."""
        assert change.inverse is not None
        self._calls.make(change.check, change.inverse, self.place.region)

    def present(self, check: Check[Any], of: Case[Any], change: Change) -> Any:
        """Return what stands now where a change has written, as a step looks at it."""
        only = [(check.id, of.resource)]
        now = datetime.now(UTC)
        snapshot = self._snapshots.take(Questions(self.place, self.profile, only), now)
        (case,) = (case for one, case in cases(snapshot, self.profile, now) if (one.id, case.resource) in only)
        assert check.mutator is not None
        try:
            return check.mutator.present(case, change)
        except ResourceMissing:
            return None


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
        MADE.extend(estate.fix(phase))
        estate.world.pass_by()

    found = estate.look()
    assert [
        (f.check.id, f.resource.name, f.verdict.reason) for f in found.findings if f.status is not Status.PASS
    ] == []
    assert (found.score.percent, found.score.coverage) == (100, 100)
    assert estate.account.foreign() == foreign
    assert estate.account.contents() == contents
    assert [name for name in DATA if not foreign[name]["notifications"]] == []


def test_what_is_undone_later_is_as_it_was_before_whatever_made_it(estate: Estate) -> None:
    undone: set[str] = set()
    for check, case, change in reversed(MADE):
        if change.inverse is None or change.reversibility is Reversibility.ONE_WAY:
            continue
        if estate.present(check, case, change) != change.after:
            continue  # a later change, which stays, has added to it
        try:
            estate.undo(change)
        except StepRefused:
            continue  # what rests on it stays
        assert estate.present(check, case, change) == change.before, change.title
        undone.add(f"{check.id} {change.call.operation}")

    assert undone == UNDONE
