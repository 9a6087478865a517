"""The demo of data protection: what its steps add to the summary, and when they and the demo fail."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from cli import protection_demo, protection_demo_story
from cli.protection_demo import wrong
from cli.protection_demo_application import Application, Carried, ExecutionFailed, Looked, Unexpected
from cli.protection_demo_people import Person
from cli.protection_demo_story import (
    KEYS,
    Stand,
    Step,
    assess,
    drift,
    first_phase,
    fourth_phase,
    roll_back,
    second_phase,
    undo,
)

DAVE = "arn:aws:iam::000000000000:user/dave"
CHANGE = {"check": "S3-KMS", "title": "Encrypt it", "reversibility": "A", "inverse": None}
STEP = {"id": "S3-KMS/s3-bucket/transcripts-1/0", "name": "transcripts-1", "change": CHANGE}
GOOD = {
    "score_before": 8.5,
    "score_after_phase1": 43.9,
    "score_after_phase3": 96.3,
    "score_after_phase4": 100.0,
    "checks": 82,
    "unknown": 0,
    "changes_applied": 100,
    "changes_verified": 99,
    "rolled_back": 1,
    "foreign_rules_kept": True,
    "drift_detect_s": 11.0,
    "drift_fix_s": 20.0,
    "api_calls_assess": 70,
    "seconds": 300.0,
}


class Deployed:
    """An application whose assessments, plans and what becomes of these come out one after the other."""

    def __init__(self, *percents: float, plans: Sequence[int] = (), carried: Sequence[Carried] = ()) -> None:
        self._percents, self._plans, self._carried = iter(percents), iter(plans), iter(carried)
        self.told: dict[str, dict[str, Any]] = {
            "DriftFound": {"check": "DDB-PITR", "name": "conversations", "by": DAVE, "call": "UpdateContinuousBackups"},
            "DriftFixed": {"drift": {"check": "DDB-PITR", "name": "conversations"}, "by": "gatehouse"},
        }
        self.approved: list[int] = []

    def assess(self) -> Looked:
        return Looked(next(self._percents), 100.0, checks=82, unknown=0, calls=67, seconds=1.0, page=b"<p>report</p>")

    def plan(self, _asks: Person, phases: Sequence[int], _named: Sequence[str]) -> dict[str, Any]:
        return {"plan": "ab" * 32, "approvers": 2 if 4 in phases else 1, "steps": [STEP] * next(self._plans)}

    def plan_undoing(self, _asks: Person, plan: str, steps: Sequence[str]) -> dict[str, Any]:
        assert (plan, steps) == ("ab" * 32, [STEP["id"]])
        return {"plan": "cd" * 32, "approvers": 1, "steps": [STEP]}

    def carry_out(
        self, _plan: str, _asks: Person, approve: Sequence[Person], on_progress: Callable[[int], None]
    ) -> Any:
        on_progress(1)
        self.approved.append(len(approve))
        return next(self._carried)

    def listen(self) -> None:
        pass

    def hear(self, noun: str, about: Callable[[Mapping[str, Any]], bool], _seconds: float) -> Mapping[str, Any]:
        assert about(self.told[noun])
        return self.told[noun]


class Around:
    """Everything else: nothing passes by, and what is meddled with ends as it is told here."""

    def __init__(self, *, recovers: bool = True, left: str = "AES256") -> None:
        self._recovers, self._algorithms = recovers, iter(("AES256", left))

    def pass_by(self) -> None:
        pass

    def stop_recovery(self, table: str) -> None:
        assert table == "conversations"

    def has_recovery(self, _table: str) -> bool:
        return self._recovers

    def algorithm(self, _bucket: str) -> str:
        return next(self._algorithms)

    def withholding(self, _bucket: str) -> "Around":
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class Stage:
    """A stage of the board whose lines are kept."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, *_: object) -> None:
        pass

    def note(self, line: str) -> None:
        self.notes.append(line)


class States:
    """A machine that fails."""

    def client(self, _: str) -> "States":
        return self

    def start_execution(self, **_: str) -> dict[str, Any]:
        return {"executionArn": "arn:1"}

    def describe_execution(self, **_: str) -> dict[str, Any]:
        return {"executionArn": "arn:1", "status": "FAILED", "error": "ProfileInvalid", "cause": "it does not hold"}


def standing(tmp_path: Path, application: Deployed, around: Around | None = None) -> Stand:
    around = around or Around()
    names = ("alice", "bob", "carol", "dave")
    people = {name: Person(f"arn:aws:iam::000000000000:user/{name}", cast("Any", None)) for name in names}
    account: Any = None  # the steps ask it nothing
    return Stand(
        cast("Any", application), account, cast("Any", around), cast("Any", around), people, tmp_path / "report.html"
    )


def stage() -> Any:
    return Stage()


def verified(number: int) -> Carried:
    return Carried({"verified": number})


def test_summary_has_every_key_and_null_where_nothing_was_measured(tmp_path: Path) -> None:
    summary = standing(tmp_path, Deployed()).summary
    assert list(summary) == list(KEYS) == list(GOOD)
    assert set(summary.values()) == {None}


def test_first_assessment_is_the_score_before(tmp_path: Path) -> None:
    stand = standing(tmp_path, Deployed(8.5, 100.0))
    assess(stand, stage())
    assert assess(stand, stage()).startswith("100 % of 82 checks hold")
    assert stand.summary["score_before"] == 8.5
    assert (stand.summary["checks"], stand.summary["unknown"], stand.summary["api_calls_assess"]) == (82, 0, 67)
    assert [looked.percent for looked in stand.looks] == [8.5, 100.0]
    assert (tmp_path / "report.html").read_bytes() == b"<p>report</p>"


def test_a_phase_is_planned_again_until_nothing_is_left(tmp_path: Path) -> None:
    stand = standing(tmp_path, Deployed(43.9, plans=[3, 2, 0], carried=[verified(3), verified(2)]))
    shown = stage()
    assert first_phase(stand, shown).startswith("5 changes by 2 plans; 43.9 %")
    assert (stand.summary["changes_applied"], stand.summary["changes_verified"]) == (5, 5)
    assert stand.summary["score_after_phase1"] == 43.9
    assert any("3 changes, 1 approver" in line for line in shown.notes)


def test_a_phase_that_never_ends_is_told(tmp_path: Path) -> None:
    stand = standing(tmp_path, Deployed(plans=[1] * 9, carried=[verified(1)] * 9))
    with pytest.raises(Unexpected, match="still something to change"):
        first_phase(stand, stage())


def test_a_plan_of_which_a_step_did_not_hold_ends_the_demo_with_the_reason(tmp_path: Path) -> None:
    stand = standing(tmp_path, Deployed(plans=[1], carried=[Carried({"refused": 1}, ["It is not as it was."])]))
    with pytest.raises(Unexpected, match="It is not as it was"):
        first_phase(stand, stage())
    assert stand.summary["changes_applied"] == 0


def test_phase_four_has_two_approvers(tmp_path: Path) -> None:
    deployed = Deployed(100.0, plans=[3, 0], carried=[verified(3)])
    fourth_phase(standing(tmp_path, deployed), stage())
    assert deployed.approved == [2]


def test_drift_is_timed_from_the_call_to_what_is_told(tmp_path: Path) -> None:
    stand = standing(tmp_path, Deployed())
    drift(stand, stage())
    found, fixed = stand.summary["drift_detect_s"], stand.summary["drift_fix_s"]
    assert found is not None
    assert fixed is not None
    assert 0 <= found <= fixed


def test_drift_that_is_said_to_be_fixed_and_is_not_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="is not as it must be"):
        drift(standing(tmp_path, Deployed(), Around(recovers=False)), stage())


def test_drift_of_which_another_one_is_blamed_ends_the_demo(tmp_path: Path) -> None:
    deployed = Deployed()
    deployed.told["DriftFound"]["by"] = "arn:aws:iam::000000000000:user/alice"
    with pytest.raises(Unexpected, match="user/alice"):
        drift(standing(tmp_path, deployed), stage())


def test_one_change_of_a_plan_is_undone_with_approval_and_is_no_change_of_the_summary(tmp_path: Path) -> None:
    deployed = Deployed(plans=[1, 0], carried=[verified(1), verified(1)])
    stand = standing(tmp_path, deployed)
    second_phase(stand, stage())
    shown = stage()

    said = undo(stand, shown)

    assert said.startswith("one change of the plan abababababab was undone by a plan of its own")
    assert said.endswith("transcripts is encrypted by AES256 again")
    assert stand.undone == "the encryption of transcripts, by a plan of its own, approved: AES256 again"
    assert any(
        "plan cdcdcdcdcdcd undoes one change of abababababab: 1 change, 1 approver" in line for line in shown.notes
    )
    assert deployed.approved == [1, 1]
    assert (stand.summary["changes_applied"], stand.summary["changes_verified"]) == (1, 1)


@pytest.mark.parametrize(
    ("ended", "left", "said"),
    [
        (Carried({"refused": 1}, ["It changed."]), "AES256", "It changed"),
        (verified(1), "aws:kms", "undone, it is by aws:kms"),
    ],
)
def test_an_undoing_that_leaves_something_behind_ends_the_demo(
    tmp_path: Path, ended: Carried, left: str, said: str
) -> None:
    stand = standing(tmp_path, Deployed(plans=[1, 0], carried=[verified(1), ended]), Around(left=left))
    second_phase(stand, stage())
    with pytest.raises(Unexpected, match=said):
        undo(stand, stage())


def test_a_change_that_is_spoiled_is_rolled_back_and_made_again(tmp_path: Path) -> None:
    spoiled = Carried({"rolled_back": 1}, ["It was not verified."])
    stand = standing(tmp_path, Deployed(100.0, plans=[1, 1, 0], carried=[spoiled, verified(1)]))
    roll_back(stand, stage())
    counted = [stand.summary[key] for key in ("changes_applied", "changes_verified", "rolled_back")]
    assert counted == [2, 1, 1]


def test_a_rollback_that_leaves_something_behind_ends_the_demo(tmp_path: Path) -> None:
    spoiled = Carried({"rolled_back": 1}, ["It was not verified."])
    stand = standing(tmp_path, Deployed(plans=[1], carried=[spoiled]), Around(left="aws:kms"))
    with pytest.raises(Unexpected, match="rolled back, it is by aws:kms"):
        roll_back(stand, stage())


def test_a_spoiled_change_that_passes_for_good_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="did not take hold ended as"):
        roll_back(standing(tmp_path, Deployed(plans=[1], carried=[verified(1)])), stage())


@pytest.mark.parametrize(
    ("otherwise", "bad"),
    [
        ({}, []),
        ({"drift_fix_s": None}, ["drift_fix_s was not measured"]),
        ({"unknown": 2}, ["2 checks could not"]),
        ({"foreign_rules_kept": False}, ["Rules, notifications"]),
        ({"score_after_phase1": 8.5}, ["Each phase must raise"]),
        ({"score_after_phase4": 99.0}, ["After phase 4 99 %"]),
        ({"changes_verified": 98}, ["Of 100 changes 98"]),
        ({"rolled_back": 0, "changes_verified": 100}, ["One change was to be"]),
    ],
)
def test_demo_fails_where_something_is_not_as_it_must_be(otherwise: dict[str, Any], bad: list[str]) -> None:
    found = wrong(GOOD | otherwise)
    assert [sentence[: len(begin)] for sentence, begin in zip(found, bad, strict=True)] == bad


def test_demo_that_fails_midway_keeps_what_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = standing(tmp_path, Deployed(8.5))
    stand.account = cast("Any", SimpleNamespace(foreign=dict, contents=dict))

    def stop(*_: object) -> str:
        raise Unexpected("The role may not read the table orders.")

    monkeypatch.setattr(protection_demo, "_OUT", tmp_path / "out")
    monkeypatch.setattr(protection_demo, "_start", lambda *_, **__: stand)
    monkeypatch.setattr(protection_demo_story, "STEPS", [Step("assess", assess), Step("phase 1", stop)])
    with pytest.raises(typer.Exit):
        protection_demo.demo_data_protection()

    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["score_before"], summary["score_after_phase1"]) == (8.5, None)


def test_execution_that_failed_is_told_with_its_cause() -> None:
    application = Application(cast("Any", States()), {"AssessAccountArn": "machine"})
    with pytest.raises(ExecutionFailed, match=r"arn:1 FAILED: ProfileInvalid: it does not hold"):
        application.run("AssessAccountArn")
