"""What is where after replays: every row counts once, wherever it went."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firewall_logs.committer import manifest_of
from firewall_logs.contracts import Account, Manifest, ReplayOf
from firewall_logs.replays.account import current_account
from tests.support.firewall import a_proof


def _manifest(number: int, out: int, duplicates: int = 0, replay_of: ReplayOf | None = None, **bad: int) -> Manifest:
    account = Account(
        rows_in=out + duplicates + sum(bad.values()),
        rows_out=out,
        quarantined=sum(bad.values()),
        duplicates=duplicates,
    )
    proof: Any = {
        "object_id": f"{number:032x}",
        "account": account,
        "source_rows": account.rows_in,
        "quarantined_by_reason": bad,
        "replay_of": replay_of,
    }
    return manifest_of([a_proof(**proof)])


def _replay_of(number: int, reason: str, rows: int) -> ReplayOf:
    return ReplayOf(object_id=f"{number:032x}", reason=reason, rows=rows)


ORIGINAL = _manifest(1, out=10, duplicates=1, time_naive=4, json_syntax=2)


def test_without_replays_it_is_the_sum_of_the_manifests() -> None:
    found = current_account([ORIGINAL, _manifest(2, out=3)])
    assert found.account == Account(rows_in=20, rows_out=13, quarantined=6, duplicates=1)
    assert found.quarantined_by_reason == {"json_syntax": 2, "time_naive": 4}


def test_replayed_rows_leave_the_quarantine_of_their_object() -> None:
    replay = _manifest(2, out=2, duplicates=1, replay_of=_replay_of(1, "time_naive", 4), ip_invalid=1)
    found = current_account([replay, ORIGINAL])
    assert found.account == Account(rows_in=17, rows_out=12, quarantined=3, duplicates=2)
    assert found.quarantined_by_reason == {"ip_invalid": 1, "json_syntax": 2}
    assert found.problems == []


def test_rows_that_are_refused_again_for_the_same_reason_are_still_quarantined_once() -> None:
    replay = _manifest(2, out=0, replay_of=_replay_of(1, "time_naive", 4), time_naive=4)
    found = current_account([ORIGINAL, replay])
    assert found.account.quarantined == 6
    assert found.quarantined_by_reason == {"json_syntax": 2, "time_naive": 4}


def test_second_replay_of_the_same_rows_is_a_problem() -> None:
    replays = [_manifest(number, out=4, replay_of=_replay_of(1, "time_naive", 4)) for number in (2, 3)]
    [problem] = current_account([ORIGINAL, *replays]).problems
    assert "were replayed twice, the second time as 00000000000000000000000000000003" in problem


def test_replay_of_other_rows_than_there_are_is_a_problem() -> None:
    of_others = _manifest(2, out=5, replay_of=_replay_of(1, "time_naive", 5))
    assert "are 4 by its manifest, but 5 were replayed" in current_account([ORIGINAL, of_others]).problems[0]
    of_nobody = _manifest(2, out=5, replay_of=_replay_of(9, "time_naive", 5))
    assert "are 0 by its manifest, but 5 were replayed" in current_account([ORIGINAL, of_nobody]).problems[0]
    too_few = _manifest(2, out=3, replay_of=_replay_of(1, "time_naive", 4))
    assert "are 4, but 00000000000000000000000000000002 has read 3" in current_account([ORIGINAL, too_few]).problems[0]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5))
def test_account_balances_after_any_chain_of_replays(chain: list[tuple[int, int]]) -> None:
    rows = 50
    manifests = [_manifest(0, out=7, time_naive=rows)]
    for number, (good, again) in enumerate(chain, start=1):
        out, duplicates = min(good, rows - 1), min(again, max(0, rows - 1 - good))
        left = rows - out - duplicates
        replay_of = _replay_of(number - 1, "time_naive", rows)
        manifests.append(_manifest(number, out, duplicates, replay_of, time_naive=left))
        rows = left
    found = current_account(manifests)
    assert found.problems == []
    assert found.account.balances
    assert found.account.rows_in == 57
    assert found.account.quarantined == rows
