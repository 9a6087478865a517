"""A simulation against each object by itself: the same sums, however the listing is cut."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_protection.checks.s3_lock import Mode
from data_protection.lifecycle.rules import Configuration
from data_protection.locking.expirations import deletion
from data_protection.locking.retention import Outcome, Present, Retention, decide
from data_protection.locking.tally import Amount, Kept, Tally
from data_protection.locking.terms import Terms
from data_protection.locking.versions import Listing, Version, as_lines, versions_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)

moments = st.integers(-2_000 * 86_400, 0).map(lambda seconds: NOW + timedelta(seconds=seconds))
keys = st.sampled_from(["audio/1", "audio/2", "logs/a/b", "logs/c", "plain", "", "ö/x"]).filter(bool)
terms = st.builds(
    Terms,
    bucket=st.just("recordings"),
    mode=st.sampled_from(Mode),
    days=st.integers(1, 2_000),
    at_least_days=st.sampled_from([0, 0, 30, 800]),
    at=st.just(NOW),
)
retentions = st.builds(
    Retention, mode=st.sampled_from(Mode), until=st.integers(-400, 3_000).map(lambda days: NOW + days * DAY)
)
presents = st.builds(Present, st.none() | retentions, st.booleans(), st.booleans() | st.none())
rules = st.fixed_dictionaries(
    {
        "ID": st.sampled_from(["a", "b"]),
        "Status": st.sampled_from(["Enabled", "Enabled", "Disabled"]),
        "Filter": st.fixed_dictionaries({"Prefix": st.sampled_from(["", "audio/", "logs/"])}),
    },
    optional={
        "Expiration": st.fixed_dictionaries({"Days": st.integers(1, 1_000)}),
        "NoncurrentVersionExpiration": st.fixed_dictionaries(
            {"NoncurrentDays": st.integers(1, 400)}, optional={"NewerNoncurrentVersions": st.integers(1, 2)}
        ),
    },
)


@st.composite
def versions(draw: st.DrawFn) -> Version:
    newer = draw(st.integers(0, 3))
    is_marker = draw(st.booleans()) and draw(st.booleans())
    written = draw(moments)
    return Version(
        key=draw(keys),
        id="v",
        size=0 if is_marker else draw(st.integers(0, 10**12)),
        written=written,
        is_delete_marker=is_marker,
        newer=newer,
        noncurrent_since=written + draw(st.integers(0, 500)) * DAY if newer else None,
    )


entries = st.lists(st.tuples(versions(), presents), max_size=30)


@given(entries, terms, st.lists(rules, max_size=3), st.integers(1, 7))
def test_figures_are_the_sums_over_all_objects(
    given_entries: list[tuple[Version, Present]], asked: Terms, lifecycle: list[dict[str, Any]], cut: int
) -> None:
    configuration = Configuration.parse({"Rules": lifecycle})
    tally = Tally()
    for start in range(0, len(given_entries), cut):
        shard = Tally()
        for version, present in given_entries[start : start + cut]:
            shard.count(version, present, decide(version, present, asked, NOW), configuration, NOW)
        # As it is kept between two steps.
        tally.merge(Tally.model_validate_json(shard.model_dump_json()))

    assert tally == _by_brute_force(given_entries, asked, configuration)


def _by_brute_force(given_entries: list[tuple[Version, Present]], asked: Terms, configuration: Configuration) -> Tally:
    """Return the same figures, asking each figure of each object on its own."""
    ends = [(v, p, decide(v, p, asked, NOW)) for v, p in given_entries]
    locked = [(v, d, d.retention.until) for v, _, d in ends if d.retention is not None]

    def amount(some: list[Version]) -> Amount:
        return Amount(versions=len(some), size=sum(v.size for v in some))

    def kept(some: list[tuple[Version, timedelta]]) -> Kept:
        whole = [(v, -(-span.total_seconds() // 86_400)) for v, span in some]
        return Kept(
            versions=len(some), size=sum(v.size for v, _ in some), byte_days=sum(v.size * int(d) for v, d in whole)
        )

    held = defaultdict(list)
    for v, _, until in locked:
        end = deletion(v, configuration, NOW)
        if end is not None and end.at < until:
            held[end.rule].append((v, until - end.at))
    return Tally(
        outcomes={o: amount([v for v, _, d in ends if d.outcome is o]) for o in {d.outcome for _, _, d in ends}},
        locked=kept([(v, until - NOW) for v, _, until in locked]),
        extended=amount([v for v, d, _ in locked if d.extends]),
        noncurrent=amount([v for v, _, _ in locked if v.newer]),
        folders={
            f: kept([(v, until - NOW) for v, _, until in locked if v.folder == f])
            for f in {v.folder for v, _, _ in locked}
        },
        months={
            m: amount([v for v, _, until in locked if f"{until:%Y-%m}" == m])
            for m in {f"{until:%Y-%m}" for _, _, until in locked}
        },
        held_up={rule: kept(some) for rule, some in held.items()},
        legal_holds=amount([v for v, p, _ in ends if p.has_legal_hold]),
        first=min((until for _, _, until in locked), default=None),
        last=max((until for _, _, until in locked), default=None),
    )


def _is_deleted(version: Version, lifecycle: list[dict[str, Any]], at: datetime) -> bool:
    """Say whether a lifecycle has deleted a version by a time, looking at each rule at that time."""
    active = [
        rule for rule in lifecycle if rule["Status"] == "Enabled" and version.key.startswith(rule["Filter"]["Prefix"])
    ]
    if at < NOW:
        return False
    if version.newer:
        hidden, newer_noncurrent = version.noncurrent_since, version.newer - 1
    else:
        expired = [
            max(version.written + rule["Expiration"]["Days"] * DAY, NOW) for rule in active if "Expiration" in rule
        ]
        hidden, newer_noncurrent = min(expired, default=None), 0
    return hidden is not None and any(
        hidden + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] * DAY <= at
        and newer_noncurrent >= rule["NoncurrentVersionExpiration"].get("NewerNoncurrentVersions", 0)
        for rule in active
        if "NoncurrentVersionExpiration" in rule
    )


@given(versions(), st.lists(rules, max_size=3))
def test_a_lifecycle_deletes_a_version_when_it_first_would(version: Version, lifecycle: list[dict[str, Any]]) -> None:
    end = deletion(version, Configuration.parse({"Rules": lifecycle}), NOW)

    if end is None:
        assert not _is_deleted(version, lifecycle, NOW + 100_000 * DAY)
    else:
        assert _is_deleted(version, lifecycle, end.at)
        assert not _is_deleted(version, lifecycle, end.at - timedelta(seconds=1))


@given(versions(), presents, terms)
def test_no_retention_is_ever_shortened_or_weakened(version: Version, present: Present, asked: Terms) -> None:
    decision = decide(version, present, asked, NOW)

    if decision.retention is None:
        assert decision.outcome is not Outcome.SET
        return
    assert decision.retention.until > NOW
    assert decision.retention.mode is asked.mode
    assert decision.retention.until >= asked.retain_until(version.written)
    before = present.retention
    if before is not None and before.until > NOW:
        assert decision.extends
        assert decision.retention.until >= before.until
        assert before.mode is Mode.GOVERNANCE or decision.retention.mode is Mode.COMPLIANCE
        # The right to bypass GOVERNANCE is used for nothing but a change of mode.
        assert decision.bypasses == (before.mode is not decision.retention.mode)
    else:
        assert not decision.bypasses


@given(versions(), presents, terms)
def test_what_was_set_is_found_set(version: Version, present: Present, asked: Terms) -> None:
    decision = decide(version, present, asked, NOW)

    if decision.retention is not None:
        assert decide(version, Present(decision.retention), asked, NOW).outcome in {Outcome.ALREADY, Outcome.LONGER}


@given(st.lists(versions(), max_size=20))
def test_a_shard_is_read_as_it_was_written(some: list[Version]) -> None:
    assert versions_of(as_lines(some)) == some
    listing = Listing(started=NOW).with_shard("key", some)
    assert (listing.entries, listing.size) == (len(some), sum(version.size for version in some))


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 100), max_size=40), st.integers(1, 10))
def test_folders_that_are_counted_together_are_not_lost(sizes: dict[str, int], most: int) -> None:
    tally = Tally(folders={name: Kept(versions=1, size=size) for name, size in sizes.items()})

    tally.fold(most, "")

    assert len(tally.folders) == min(most, len(sizes))
    assert sum(kept.size for kept in tally.folders.values()) + tally.elsewhere.size == sum(sizes.values())
    smallest = min((kept.size for name, kept in tally.folders.items() if name), default=0)
    assert all(size <= smallest or name in tally.folders for name, size in sizes.items() if len(tally.folders) > 1)
