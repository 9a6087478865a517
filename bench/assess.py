"""Wall time and API calls of an assessment, against Cloud Custodian and Prowler over the same account.

All three ask the same emulator through one proxy, which counts calls and adds 40 ms to each. Every run is a process of
its own; rounds are interleaved and medians taken. What they say of each table and bucket is compared where they check
the same thing; a difference that `assess_rules/compared.yaml` does not explain ends the benchmark with status 1. The
last line on stdout is one JSON object.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from bench.assess_contenders import CONTENDERS, FOLDER, Contender, Run  # noqa: E402 - the path is set just above
from bench.assess_estate import Estate  # noqa: E402
from bench.counting_proxy import CountingProxy  # noqa: E402
from local.supervisor import EmbeddedCloud  # noqa: E402

RESULT: Final = Path(__file__).parent / "results" / "assess.json"
_NAMES: Final = tuple(contender.name for contender in CONTENDERS)
_PEERS: Final = ("c7n", "prowler")
_DELAY_MS: Final = 40.0


@dataclass
class Rounds:
    """What one contender did.

    Attributes:
        runs: Its assessments.
        calls: Of each of them, by name.
    """

    runs: list[Run] = field(default_factory=list)
    calls: list[Counter[str]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median wall time."""
        return median(run.seconds for run in self.runs)

    @property
    def number(self) -> int:
        """The median number of calls."""
        return int(median(sum(calls.values()) for calls in self.calls))


@dataclass(frozen=True)
class Difference:
    """One side lets a resource pass, and the other does not.

    Attributes:
        why: From the table of differences; None where that does not explain it.
    """

    check: str
    name: str
    peer: str
    ours: str
    theirs: str
    why: str | None


def main() -> int:
    """Run the rounds for each size, print and save."""
    options = _options()
    results = {
        f"{tables}+{buckets}": _measure(tables, buckets, options, options.rounds if number == 0 else 1)
        for number, (tables, buckets) in enumerate(options.sizes)
    }
    first, *larger = results
    if set(options.only) == set(_NAMES) and options.delay_ms == _DELAY_MS:
        _keep(results)
    print(json.dumps(results[first] | {"larger": {size: results[size] for size in larger}}))
    unexplained = [one for found in results.values() for one in found["disagree"] if one["why"] is None]
    for one in unexplained:
        _say(f"unexplained: {one}")
    return 1 if unexplained else 0


def _keep(results: Mapping[str, dict[str, Any]]) -> None:
    """Put results into the file, each in place of the last of its account."""
    kept = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({**kept, **results}, indent=2) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=_size,
        default=[(60, 61), (600, 610)],
        help="tables+buckets of the accounts (default: 60+61 600+610)",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="of the first account, for medians; of others one (default: 3)"
    )
    parser.add_argument(
        "--delay-ms", type=float, default=_DELAY_MS, help="of each call; others are not kept (default: 40)"
    )
    parser.add_argument("--only", nargs="+", choices=_NAMES, default=list(_NAMES), help="the result is not kept")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    tables, buckets = text.split("+")
    return int(tables), int(buckets)


def _measure(tables: int, buckets: int, options: argparse.Namespace, number: int) -> dict[str, Any]:
    name = f"bench-assess-{tables}"
    cloud = EmbeddedCloud.start(name)
    scratch = Path(tempfile.mkdtemp(prefix="bench-assess-"))
    try:
        estate = Estate(cloud.client, tables, buckets)
        estate.build()
        contenders = [kind(estate.names) for kind in CONTENDERS if kind.name in options.only]
        for absent in [one for one in contenders if not one.program.exists()]:
            _say(f"{absent.name} is not installed, so its keys are null: {absent.program.relative_to(ROOT)} is missing")
        rounds = {one.name: Rounds() for one in contenders if one.program.exists()}
        with CountingProxy(cloud.state.port, options.delay_ms / 1000) as proxy:
            for turn in range(number):
                for one in contenders:
                    if one.name in rounds:
                        _run(one, proxy, scratch / f"{turn}-{one.name}", rounds[one.name])
        return {"account": f"{tables}+{buckets}", "rounds": number, **_result(rounds)}
    finally:
        cloud.stop()
        shutil.rmtree(cloud.folder, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _run(contender: Contender, proxy: CountingProxy, out: Path, into: Rounds) -> None:
    proxy.calls.clear()
    run = contender.run(proxy.endpoint, out)
    into.runs.append(run)
    into.calls.append(Counter(proxy.calls))
    _say(f"{contender.name:<10}{run.seconds:8.2f} s {sum(proxy.calls.values()):>7,} calls {run.peak_rss_mb:6.0f} MB")


def _result(rounds: Mapping[str, Rounds]) -> dict[str, Any]:
    ours, unlimited, c7n, prowler = (rounds.get(name) for name in _NAMES)
    differences = [
        one
        for name in _PEERS
        if ours is not None and (peer := rounds.get(name)) is not None
        for one in differing(name, ours.runs[-1], peer.runs[-1])
    ]
    agreeing = [
        case
        for peer in (c7n, prowler)
        if ours is not None and peer is not None
        for case, passes in peer.runs[-1].passes.items()
        if ours.runs[-1].passes.get(case) is passes
    ]
    return {
        "calls": _of(ours, lambda one: one.number),
        "calls_c7n": _of(c7n, lambda one: one.number),
        "calls_prowler": _of(prowler, lambda one: one.number),
        "wall_s": _of(ours, lambda one: round(one.seconds, 2)),
        "wall_s_unlimited": _of(unlimited, lambda one: round(one.seconds, 2)),
        "wall_s_c7n": _of(c7n, lambda one: round(one.seconds, 2)),
        "wall_s_prowler": _of(prowler, lambda one: round(one.seconds, 2)),
        "vs_c7n": ratio(c7n, ours),
        "vs_prowler": ratio(prowler, ours),
        "unlimited_vs_c7n": ratio(c7n, unlimited),
        "unlimited_vs_prowler": ratio(prowler, unlimited),
        "agree": len(agreeing),
        "disagree": _told(differences),
        "peak_rss_mb": _of(ours, lambda one: round(max(run.peak_rss_mb for run in one.runs))),
        "peak_rss_mb_c7n": _of(c7n, lambda one: round(max(run.peak_rss_mb for run in one.runs))),
        "peak_rss_mb_prowler": _of(prowler, lambda one: round(max(run.peak_rss_mb for run in one.runs))),
        "calls_by_name": {} if ours is None else dict(ours.calls[-1].most_common()),
    }


def _of(rounds: Rounds | None, value: Callable[[Rounds], float]) -> float | None:
    return None if rounds is None else value(rounds)


def ratio(peer: Rounds | None, ours: Rounds | None) -> float | None:
    """Return the peer's wall time over ours."""
    return None if peer is None or ours is None else round(peer.seconds / ours.seconds, 1)


def differing(peer: str, ours: Run, theirs: Run) -> list[Difference]:
    """Return where one side lets a resource pass and the other does not, of what both were asked."""
    explained = yaml.safe_load((FOLDER / "compared.yaml").read_text("utf-8"))["differences"]
    reasons = {(one["check"], one["ours"]): one["why"] for one in explained if one.get("peer", peer) == peer}
    found = []
    for (check, name), passes in sorted(theirs.passes.items()):
        status = ours.statuses.get((check, name))
        if status is not None and (status == "pass") is not passes:
            theirs_said = theirs.statuses[check, name]
            found.append(Difference(check, name, peer, status, theirs_said, reasons.get((check, status))))
    return found


def _told(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return differences of one kind as one, with the number of resources and an example."""
    kinds: dict[tuple[Any, ...], list[str]] = {}
    for one in differences:
        kinds.setdefault((one.check, one.peer, one.ours, one.theirs, one.why), []).append(one.name)
    return [
        {
            "check": check,
            "peer": peer,
            "ours": ours,
            "theirs": theirs,
            "resources": len(names),
            "such_as": names[0],
            "why": why,
        }
        for (check, peer, ours, theirs, why), names in kinds.items()
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
