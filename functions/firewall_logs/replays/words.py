"""What a replay's choice means, for whoever decides whether to go on."""

from collections import Counter

from firewall_logs.replays.planner import Choice


def counts(choice: Choice) -> tuple[dict[str, int], dict[str, int]]:
    """Return rows by reason: those to replay, and those that were replayed before."""
    due: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for candidate in choice.candidates:
        (before if candidate.is_replayed else due)[candidate.reason] += candidate.rows
    return dict(sorted(due.items())), dict(sorted(before.items()))


def told(choice: Choice) -> str:
    """Return the choice in words."""
    due, before = counts(choice)
    sentences = [f"{sum(due.values()):,} rows of {len(choice.due):,} objects and reasons are to be judged again."]
    if before:
        sentences.append(
            f"{sum(before.values()):,} rows were replayed before: what was bad again is quarantine of the objects "
            "below firewall_logs/replays/ in the runs bucket, and can be chosen by its feed and reason."
        )
    if choice.whole_objects:
        sentences.append(
            f"{choice.whole_objects.total():,} objects were quarantined whole and have no rows to replay: put a "
            "complete version of each into the raw bucket, which is processed by itself."
        )
    return " ".join(sentences)
