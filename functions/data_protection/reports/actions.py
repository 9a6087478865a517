"""What an operator does next: plans of remediation, the most valuable first, each as a command to paste."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Severity
from data_protection.contracts import FindingRow
from data_protection.reports.report import BROKEN, Report
from data_protection.runbooks import plan_input, run_command

_SEVERITIES: Final = tuple(Severity)


@dataclass(frozen=True)
class Action:
    """A plan that would mend something.

    Attributes:
        account: Where.
        region: Where.
        phase: Of the standard.
        named: Checks that it must name, as their usual changes lose data or cannot be undone.
        rows: Findings that it is about, the gravest first; for some of them there may be no safe change.
        environment: Of the deployment.
    """

    account: str
    region: str
    phase: int
    named: Sequence[str]
    rows: Sequence[FindingRow]
    environment: str

    @property
    def checks(self) -> Sequence[str]:
        """Ids of the checks that it is about, in order of them."""
        return sorted({row.check for row in self.rows})

    @property
    def severity(self) -> Severity:
        """Of the gravest of its findings."""
        return min((Severity(row.severity) for row in self.rows), key=_SEVERITIES.index)

    @property
    def command(self) -> str:
        """The command that makes the plan, and changes nothing."""
        asked = plan_input(self.account, self.region, self.phase, self.named)
        return run_command("remediate_account", asked, self.environment)


def actions(report: Report) -> Sequence[Action]:
    """Return the plans that would mend what fails or warns: first what is gravest, and of equals what mends most.

    What does not come back has a plan of its own after all others, so that nobody names it by the way.
    """
    found: defaultdict[tuple[str, str, int, bool], list[FindingRow]] = defaultdict(list)
    for row in report.rows:
        mutator = catalogue()[row.check].mutator
        if row.status in BROKEN and mutator is not None:
            found[row.account, row.region, mutator.phase, mutator.reversibility.comes_back].append(row)
    made = [
        Action(
            account=account,
            region=region,
            phase=phase,
            named=() if comes_back else sorted({row.check for row in rows}),
            rows=rows,
            environment=report.environment,
        )
        for (account, region, phase, comes_back), rows in found.items()
    ]
    return sorted(made, key=_value)


def _value(action: Action) -> tuple[Any, ...]:
    counts, gravest = Counter(Severity(row.severity) for row in action.rows), action.severity
    place = action.account, action.region, action.phase
    return bool(action.named), _SEVERITIES.index(gravest), -counts[gravest], -len(action.rows), place
