"""ValidateDay's work: read what the cuts became, compare it with the plan, and judge the day."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import Disagreement
from firewall_logs.days import quality, validation
from firewall_logs.days.contracts import CompactionProof, Level, SealedDay, SealPlan, SealStep, ValidateDayResult
from firewall_logs.days.profiles import add_profiles
from firewall_logs.errors import PlanMissing
from firewall_logs.reconciliation import in_words

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayReader
    from firewall_logs.adapters.footers import LakeFooters
    from firewall_logs.adapters.seals import CompactionReceiptReader, SealPlanReader
    from firewall_logs.days.rules import Rules
    from firewall_logs.feeds import Feeds

_THREADS: Final = 32
# Files of counts are read whole: one of four million addresses takes up to 100 MB.
_COUNTED_AT_ONCE: Final = 4


@dataclass(frozen=True)
class Validated:
    """What ValidateDay found.

    Attributes:
        candidate: The version as it would be sealed.
    """

    candidate: SealedDay
    disagreements: list[Disagreement]
    result: ValidateDayResult


class DayValidator:
    """Says whether a day may be sealed."""

    def __init__(
        self,
        feeds: "Feeds",
        rules: "Rules",
        days: "DayReader",
        *,
        plans: "SealPlanReader",
        receipts: "CompactionReceiptReader",
        footers: "LakeFooters",
    ) -> None:
        self._feeds = feeds
        self._rules = rules
        self._days = days
        self._plans = plans
        self._receipts = receipts
        self._footers = footers

    def validate(self, step: SealStep) -> Validated:
        """Compare and judge.

        Raises:
            PlanMissing: The seal has no plan.
        """
        plan = self._plans.read(step.seal_id)
        if plan is None:
            raise PlanMissing(f"Seal {step.seal_id} has no plan.json: ReconcileDay comes before ValidateDay.")
        seen = self._witnesses(plan)
        proofs = [proof for _, proof in sorted(seen.proofs.items())]
        profiles = add_profiles(proof.profiles for proof in proofs)
        verdicts = quality.judge(
            self._rules,
            (feed.name for feed in self._feeds),
            quality.DayFigures(
                event_date=plan.event_date,
                profiles=profiles,
                arrivals=plan.arrivals,
                earlier=list(self._days.all()),
            ),
        )
        candidate = validation.sealed_day(plan, proofs, profiles, verdicts, quality.waived(verdicts, step.waive))
        disagreements = list(validation.compare(plan, seen))
        blocking = quality.blocking(verdicts, step.waive)
        unknown = sorted(set(step.waive) - {f"{verdict.feed}/{verdict.rule}" for verdict in verdicts})
        reason = in_words(disagreements[0]) if disagreements else None
        if reason is None and unknown:
            reason = f"{', '.join(unknown)}: there is no such rule to waive."
        if reason is None and blocking:
            reason = quality.reason(blocking)
        levels: Counter[Level] = Counter(verdict.level for verdict in verdicts)
        return Validated(
            candidate=candidate,
            disagreements=disagreements,
            result=ValidateDayResult(
                seal_id=step.seal_id,
                event_date=step.event_date,
                version=plan.version,
                sealable=reason is None,
                reason=reason,
                levels=dict(levels),
            ),
        )

    def _witnesses(self, plan: SealPlan) -> validation.CutWitnesses:
        with ThreadPoolExecutor(_THREADS) as threads, ThreadPoolExecutor(_COUNTED_AT_ONCE) as counting:
            receipts = threads.map(lambda index: self._receipts.read(plan.seal_id, index), range(len(plan.cuts)))
            proofs: dict[int, CompactionProof] = {
                index: receipt.proof for index, receipt in enumerate(receipts) if receipt is not None
            }
            files = [file for proof in proofs.values() for file in proof.files]
            footers = dict(
                zip((f.key for f in files), threads.map(lambda f: self._footers.read(f.key), files), strict=True)
            )
            counts = [f for f in files if f.kind in validation.COUNTS and footers[f.key] is not None]
            totals = counting.map(lambda f: self._footers.total(f.key, "events"), counts)
            return validation.CutWitnesses(
                proofs=proofs,
                footers=footers,
                counted_events=dict(zip((f.key for f in counts), totals, strict=True)),
            )
