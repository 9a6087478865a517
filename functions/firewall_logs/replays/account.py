"""Where all rows are now that some were replayed: the accounts of manifests, added up so that nothing counts twice."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from firewall_logs.contracts import Account, Manifest, ReplayOf
from firewall_logs.names import add_counts


@dataclass(frozen=True)
class CurrentAccount:
    """The account of objects and of all replays of their rows.

    Attributes:
        account: `rows_in` of the raw objects alone; rows that a replay brought into the lake are in `rows_out`, and
            what is `quarantined` is so still.
        quarantined_by_reason: The same, by the reason that each row has now.
        problems: Replays that contradict the manifests, in words: they take nothing out of the quarantine. Without any
            the account balances.
    """

    account: Account
    quarantined_by_reason: dict[str, int]
    problems: list[str] = field(default_factory=list)


def current_account(manifests: Iterable[Manifest]) -> CurrentAccount:
    """Add up manifests of raw objects and of replays, in any order.

    Per object: rows_in = rows_out + rows_out of all its replays + quarantined now + duplicates, where a replay takes
    all rows of one reason out of the quarantine of its object, and what is refused again is quarantine of the replay.
    """
    known = list(manifests)
    problems: list[str] = []
    by_reason = Counter(add_counts(manifest.quarantined_by_reason for manifest in known))
    by_id = {manifest.object_id: manifest for manifest in known}
    seen: set[tuple[str, str]] = set()
    for manifest in known:
        replay = manifest.replay_of
        if replay is None:
            continue
        found = list(_problems(manifest, replay, by_id.get(replay.object_id)))
        if (replay.object_id, replay.reason) in seen:
            found.append(f"{_rows_of(replay)} were replayed twice, the second time as {manifest.object_id}")
        seen.add((replay.object_id, replay.reason))
        problems += found
        if not found:
            by_reason[replay.reason] -= replay.rows
    account = Account(
        rows_in=sum(manifest.account.rows_in for manifest in known if manifest.replay_of is None),
        rows_out=sum(manifest.account.rows_out for manifest in known),
        quarantined=by_reason.total(),
        duplicates=sum(manifest.account.duplicates for manifest in known),
    )
    remaining = {reason: rows for reason, rows in sorted(by_reason.items()) if rows}
    return CurrentAccount(account, remaining, problems)


def _problems(manifest: Manifest, replay: ReplayOf, original: Manifest | None) -> Iterator[str]:
    refused = original.quarantined_by_reason.get(replay.reason, 0) if original else 0
    if refused != replay.rows:
        replayed = f"{replay.rows} were replayed as {manifest.object_id}"
        yield f"{_rows_of(replay)} are {refused} by its manifest, but {replayed}"
    if manifest.account.rows_in != replay.rows:
        yield f"{_rows_of(replay)} are {replay.rows}, but {manifest.object_id} has read {manifest.account.rows_in}"


def _rows_of(replay: ReplayOf) -> str:
    return f"the rows of object {replay.object_id} with reason {replay.reason}"
