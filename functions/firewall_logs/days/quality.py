"""The quality of a day: every rule's verdict on every feed. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from firewall_logs.days.contracts import Day, FeedArrivals, FeedProfile, Level, Verdict
from firewall_logs.days.measures import MEASURES, Subject

if TYPE_CHECKING:
    from firewall_logs.days.rules import Rule, Rules

# Sealed days before this say nothing about what is usual now.
LOOK_BACK: Final = timedelta(days=28)


@dataclass(frozen=True)
class DayFigures:
    """What the rules are about.

    Attributes:
        event_date: The day.
        profiles: Its rows, by feed.
        arrivals: What objects brought, by feed.
        earlier: States of other days; those sealed at least once within LOOK_BACK before the day are compared with.
    """

    event_date: date
    profiles: Mapping[str, FeedProfile]
    arrivals: Mapping[str, FeedArrivals]
    earlier: Sequence[Day]


def judge(rules: "Rules", feeds: Iterable[str], figures: DayFigures) -> list[Verdict]:
    """Return the verdict of every rule on every feed, by feed and rule.

    Args:
        rules: The rules.
        feeds: Those that are configured: one that brought nothing is judged as well. Others are where they brought
            something, as a feed that is not configured any more may.
        figures: Of the day.
    """
    named = sorted({*feeds, *figures.profiles, *figures.arrivals})
    return [_verdict(rule, feed, figures) for feed in named for rule in rules.of(feed)]


def blocking(verdicts: Iterable[Verdict], waive: Collection[str]) -> list[Verdict]:
    """Return the failing verdicts that nobody waives, as `feed/rule`."""
    return [verdict for verdict in verdicts if verdict.level == "fail" and _name(verdict) not in waive]


def waived(verdicts: Iterable[Verdict], waive: Collection[str]) -> list[str]:
    """Return the waivers that were needed, in order."""
    return sorted({_name(verdict) for verdict in verdicts if verdict.level == "fail"} & set(waive))


def reason(verdicts: Sequence[Verdict]) -> str:
    """Return in words why these verdicts block a day."""
    told = "; ".join(f"{_name(verdict)}: {verdict.detail}" for verdict in verdicts)
    return f"{len(verdicts)} quality rule{'' if len(verdicts) == 1 else 's'} failed. {told}."


def _verdict(rule: "Rule", feed: str, figures: DayFigures) -> Verdict:
    measure = MEASURES[rule.measure]
    found = measure.take(
        Subject(
            profile=figures.profiles.get(feed, FeedProfile()),
            arrivals=figures.arrivals.get(feed, FeedArrivals()),
            earlier=_earlier(feed, figures),
            column=rule.column or "",
            values=rule.known_values,
        )
    )
    level, limit = _level(rule, found.figure)
    return Verdict(
        feed=feed,
        rule=rule.name,
        measure=rule.measure,
        level=level,
        figure=found.figure,
        limit=limit,
        detail=found.detail if level == "pass" else f"{found.detail} ({rule.why})",
    )


def _level(rule: "Rule", figure: float | None) -> tuple[Level, float | None]:
    if figure is None:
        return "pass", None
    if rule.fail is not None and (limit := rule.fail.broken_by(figure)) is not None:
        return "fail", limit
    if rule.warn is not None and (limit := rule.warn.broken_by(figure)) is not None:
        return "warn", limit
    limits = rule.fail or rule.warn
    return "pass", None if limits is None else limits.nearest(figure)


def _earlier(feed: str, figures: DayFigures) -> list[int]:
    first = figures.event_date - LOOK_BACK
    days = [day for day in figures.earlier if day.version and first <= day.event_date < figures.event_date]
    return [day.rows.get(feed, 0) for day in sorted(days, key=lambda day: day.event_date, reverse=True)]


def _name(verdict: Verdict) -> str:
    return f"{verdict.feed}/{verdict.rule}"
