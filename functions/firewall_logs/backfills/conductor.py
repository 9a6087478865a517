"""NextWave's work: see what became of the last wave, and decide what comes next.

It believes runs, ledger and manifests. `progress.json` only remembers them, so that whoever comes again, in this
execution or in one that resumes it, decides alike: a run is named by its wave and attempt, and another attempt gets its
number once the one before has ended.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from firewall_logs.backfills.contracts import (
    BackfillPlan,
    Next,
    NextWaveInput,
    Order,
    Progress,
    Wave,
    WaveDecision,
    WaveProgress,
)
from firewall_logs.contracts import ObjectRef, RunInput, SourceObject
from firewall_logs.errors import BackfillStuck, BackfillUnknown

if TYPE_CHECKING:
    from firewall_logs.adapters.backfills import Backfills
    from firewall_logs.adapters.machine import RunWatch
    from firewall_logs.adapters.runs import ListWriter, PlanReader, RunOutcomes
    from firewall_logs.standing import Lookout

# Five more rounds, after 1, 4, 16, 64 and 256 minutes at the default: together as long as the lease of a run that
# holds some of the objects can last.
MOST_ROUNDS: Final = 5
_LONGER: Final = 4
_RUNNING_SECONDS: Final = 30
_AGAIN_SECONDS: Final = 1
_MOST_FALSE_STARTS: Final = 5
# Waves that are found done in a call are looked up one by one, some seconds each.
_MOST_LOOKED_AT: Final = 50
# An execution's history holds 25,000 events. A decision, its run and a breath after it make 15, so two thirds are left
# for retries. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_DECISIONS: Final = 500
# What the planner of a run says of objects that no other run would find otherwise.
_LASTING: Final = frozenset({"missing", "unreadable", "ignored"})


@dataclass
class _State:
    """A backfill while NextWave looks at it."""

    request: NextWaveInput
    plan: BackfillPlan
    order: Order
    progress: Progress

    def update(self, wave: WaveProgress, **changed: Any) -> WaveProgress:
        """Change what is remembered of a wave."""
        updated = wave.model_copy(update=changed)
        waves = [updated if known.wave == wave.wave else known for known in self.progress.waves]
        self.progress = self.progress.model_copy(update={"waves": waves})
        return updated

    def remember(self, **changed: Any) -> None:
        """Change what is remembered beside the waves."""
        self.progress = self.progress.model_copy(update=changed)


class Conductor:
    """Leads a backfill from wave to wave."""

    def __init__(
        self,
        backfills: "Backfills",
        lists: "ListWriter",
        lookout: "Lookout",
        *,
        plans: "PlanReader",
        outcomes: "RunOutcomes",
        runs: "RunWatch",
        round_seconds: int,
    ) -> None:
        self._backfills = backfills
        self._lists = lists
        self._lookout = lookout
        self._plans = plans
        self._outcomes = outcomes
        self._runs = runs
        self._round_seconds = round_seconds

    def decide(self, request: NextWaveInput) -> WaveDecision:
        """Return what is to be done next; effects come before the progress that names them.

        Raises:
            BackfillUnknown: There is no such backfill, or it is not planned.
            BackfillStuck: Runs are asked for and never begin.
        """
        state = self._state(request)
        if state.order.execution != request.execution:
            return _decision(state, "superseded", f"execution {state.order.execution} goes on with this backfill")
        decision = self._decide(state)
        state.remember(status=decision.next, decisions=state.progress.decisions + 1)
        self._backfills.keep_progress(request.backfill_id, state.progress)
        return decision

    def _state(self, request: NextWaveInput) -> _State:
        plan, order = self._backfills.plan(request.backfill_id), self._backfills.order(request.backfill_id)
        if plan is None or order is None:
            raise BackfillUnknown(
                f"Backfill {request.backfill_id} has no plan: start it with a range, or resume one that was planned."
            )
        fresh = Progress(
            execution=request.execution, waves=[WaveProgress(wave=wave.wave) for wave in plan.planning.waves]
        )
        progress = self._backfills.progress(request.backfill_id) or fresh
        if progress.successor == request.execution:
            inherited = {"execution": request.execution, "predecessor": progress.execution}
            progress = progress.model_copy(update=inherited | {"successor": None, "decisions": 0})
        elif progress.execution != request.execution:
            waves = [wave.model_copy(update={"tries": 0}) for wave in progress.waves]
            progress = fresh.model_copy(update={"waves": waves, "hand_overs": progress.hand_overs})
        return _State(request, plan, order, progress)

    def _decide(self, state: _State) -> WaveDecision:
        for wave in state.progress.waves:
            if wave.started and not self._settle(state, wave):
                run_id = _run_id(state, wave)
                return _decision(state, "wait", f"run {run_id} still runs", seconds=_RUNNING_SECONDS)
        pause = self._backfills.pause(state.request.backfill_id)
        if pause is not None and pause.execution in {state.progress.execution, state.progress.predecessor}:
            return _decision(state, "paused", "it was asked to pause")
        if state.progress.decisions >= MOST_DECISIONS:
            return _hand_over(state)
        return self._next(state) or self._round(state) or self._end(state)

    def _settle(self, state: _State, wave: WaveProgress) -> bool:
        """Take in how a wave's run ended; return False while it runs."""
        run_id = _run_id(state, wave)
        status = self._runs.status(run_id)
        if status in {"RUNNING", "PENDING_REDRIVE"}:
            return False
        summary = self._outcomes.summary(run_id)
        if status is None and summary is None and self._outcomes.failure(run_id) is None:
            self._note_false_start(state, run_id)
            state.update(wave, started=False, tries=max(0, wave.tries - 1))
            return True
        left = self._left(state, wave)
        state.update(
            wave,
            started=False,
            attempt=wave.attempt + 1,
            done=not left,
            left=len(left),
            lasting=self._lasting(run_id, left),
            committed=wave.committed + (summary.objects_committed if summary else 0),
            rows=wave.rows + (summary.account.rows_in if summary else 0),
            usd=wave.usd + (summary.usd if summary else 0),
        )
        return True

    def _note_false_start(self, state: _State, run_id: str) -> None:
        starts = state.progress.false_starts + 1
        if starts > _MOST_FALSE_STARTS:
            raise BackfillStuck(
                f"Run {run_id} was asked for {starts} times and never began. "
                f"The last answer: {state.request.trouble or 'none'}"
            )
        state.remember(false_starts=starts)

    def _left(self, state: _State, wave: WaveProgress) -> list[SourceObject]:
        standing = self._lookout.look(self._backfills.wave(state.request.backfill_id, wave.wave))
        return [*standing.open, *standing.ignored]

    def _lasting(self, run_id: str, left: list[SourceObject]) -> int:
        plan = self._plans.read(run_id)
        if plan is None:
            return 0
        found = {(o.ref.key, o.ref.version_id) for o in plan.objects if o.status in _LASTING}
        return sum((source.key, source.version_id) in found for source in left)

    def _next(self, state: _State) -> WaveDecision | None:
        """Return the run of the next wave that is due in this round; waves that are done meanwhile are passed over."""
        due = (wave for wave in state.progress.waves if _is_open(wave) and wave.tries <= state.progress.rounds)
        for wave in islice(due, _MOST_LOOKED_AT):
            left = self._left(state, wave)
            if left:
                return self._run(state, wave, left)
            state.update(wave, done=True, left=0, lasting=0)
        if any(_is_open(wave) and wave.tries <= state.progress.rounds for wave in state.progress.waves):
            return _decision(state, "wait", "the waves so far were done before", seconds=_AGAIN_SECONDS)
        return None

    def _run(self, state: _State, wave: WaveProgress, left: list[SourceObject]) -> WaveDecision:
        planned = state.plan.planning.waves[wave.wave]
        likely = _usd(planned) * len(left) / planned.objects
        if state.progress.usd + likely > state.order.max_usd:
            told = (
                f"The runs so far cost {state.progress.usd:.4f} USD and wave {wave.wave} is likely to cost "
                f"{likely:.4f}: together more than max_usd, {state.order.max_usd:.4f}. Resume with a higher max_usd to "
                "go on."
            )
            return _decision(state, "stopped", told)
        attempt = wave.attempt + 1
        key = self._lists.write(f"{state.request.backfill_id}/{attempt}", wave.wave, map(_ref, left))
        state.update(wave, started=True, tries=wave.tries + 1)
        run_id = _run_id(state, wave)
        return _decision(
            state, "run", f"{len(left)} objects of wave {wave.wave}", run_id=run_id, input=_input(state, key)
        )

    def _round(self, state: _State) -> WaveDecision | None:
        """Return the wait before another round over what is left, where another round may help."""
        rounds = state.progress.rounds
        waiting = [wave for wave in state.progress.waves if _is_open(wave) and wave.left > wave.lasting]
        if not waiting or rounds == MOST_ROUNDS:
            return None
        state.remember(rounds=rounds + 1)
        told = f"{len(waiting)} waves have objects left, round {rounds + 1} of {MOST_ROUNDS} over them follows"
        return _decision(state, "wait", told, seconds=self._round_seconds * _LONGER**rounds)

    def _end(self, state: _State) -> WaveDecision:
        open_waves = [wave for wave in state.progress.waves if not wave.done]
        if not open_waves:
            return _decision(state, "complete", "every object is in the lake")
        named = [source for wave in open_waves[:_MOST_LOOKED_AT] for source in self._left(state, wave)]
        key = self._lists.write(f"{state.request.backfill_id}/left", 0, map(_ref, named))
        left, gone = sum(wave.left for wave in open_waves), sum(wave.lasting for wave in open_waves)
        told = (
            f"{left} objects are not in the lake, {gone} of them gone, unreadable or of no feed any more. The list "
            f"{key} in the runs bucket names {len(named)} of them, and the runs of their waves say why. Resume once "
            "the cause is mended."
        )
        return _decision(state, "left", told, left_key=key)


def _is_open(wave: WaveProgress) -> bool:
    """Whether another run may help: nothing is known yet, or something is left that is not left for good."""
    return not wave.done and not wave.started and (wave.tries == 0 or wave.left > wave.lasting)


def _hand_over(state: _State) -> WaveDecision:
    """Let another execution go on; asked once more, as after an answer that was lost, name the same one."""
    if state.progress.successor is None:
        number = state.progress.hand_overs + 1
        state.remember(hand_overs=number, successor=f"{state.request.backfill_id}-part{number + 1}")
    successor = state.progress.successor
    return _decision(state, "handed_over", f"execution {successor} goes on with this backfill", execution=successor)


def _run_id(state: _State, wave: WaveProgress) -> str:
    return f"{state.request.backfill_id}-{wave.wave:05d}-{wave.attempt + 1}"


def _input(state: _State, list_key: str) -> RunInput:
    order = state.order
    wanted = {"max_concurrency": order.max_concurrency, "engine": order.engine}
    return RunInput(list_key=list_key, **{name: value for name, value in wanted.items() if value is not None})


def _ref(source: SourceObject) -> ObjectRef:
    return ObjectRef(bucket=source.bucket, key=source.key, version_id=source.version_id)


def _usd(wave: Wave) -> float:
    return sum(wave.usd.values())


def _decision(state: _State, following: Next, told: str, **given: Any) -> WaveDecision:
    waves, planned = state.progress.waves, state.plan.planning.waves
    return WaveDecision(
        backfill_id=state.request.backfill_id,
        next=following,
        told=told,
        waves=len(waves),
        waves_done=sum(wave.done for wave in waves),
        objects=state.plan.estimate.objects,
        objects_left=sum(wave.left if wave.attempt else planned[wave.wave].objects for wave in waves if not wave.done),
        usd=state.progress.usd,
        **given,
    )
