"""The model of scale against the steps themselves: what each sends to AWS, at two sizes."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import pytest

from bench.scale_model import Run, Seal, run_steps, seal_steps
from tests.support import raw
from tests.support.aws import RAW
from tests.support.pipeline import Pipeline
from tests.support.seal import seal

pytestmark = pytest.mark.cloud

DAY = "2026-06-01"


class Counted:
    """Calls handlers, and adds up what each of them asked of AWS."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.requests: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def __call__(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call a handler."""
        result = self._pipeline.call(handler, event)
        self.requests[handler] += Counter(self._pipeline.requests)
        return result


@pytest.mark.parametrize("objects", [2, 7])
@pytest.mark.parametrize("parquet", [False, True])
def test_model_counts_what_the_steps_of_a_run_and_a_seal_send(pipeline: Pipeline, objects: int, parquet: bool) -> None:  # noqa: FBT001 - which of the two
    pipeline.forget()
    name = f"{objects}-{'parquet' if parquet else 'lines'}"
    refs = [_put(pipeline, name, number, parquet=parquet) for number in range(objects)]
    first, later = refs[:1], refs[1:]
    for members, known in ((first, 0), (later, 1)):
        counted = Counted(pipeline)
        for handler, event in pipeline.steps(f"{name}-{known}", members):
            counted(handler, event)
        run = Run(
            objects=len(members),
            slices=len(members),
            units=1,
            parquet=parquet,
            known_days=known,
            partition_files=objects,
        )
        assert counted.requests == {step: +requests for step, requests in run_steps(run).items()}

    counted = Counted(pipeline)
    seal(pipeline, f"seal-{name}", DAY, call=counted)
    model = Seal(
        objects=objects,
        swept=0,
        slices=objects,
        cuts=1,
        prefixes=2,
        parquet_objects=objects if parquet else 0,
        lines_slices=0 if parquet else objects,
    )
    assert counted.requests == {step: +requests for step, requests in seal_steps(model).items()}

    # The objects came today, so that it is the sweep of another day that finds them.
    swept = pipeline.call(
        "sweep_day",
        {
            "seal_id": f"sweep-{name}",
            "started_at": "2099-01-01T00:00:00Z",
            "round": 0,
            "input": {"date": _today(refs, pipeline)},
        },
    )
    assert (swept["listed"], swept["missing"]) == (objects, 0)
    assert Counter(pipeline.requests) == seal_steps(replace(model, swept=objects))["sweep_day"]
    for ref in refs:
        pipeline.s3.delete_object(Bucket=RAW, Key=ref["key"])


def test_model_counts_days_and_quarantine_of_slices(pipeline: Pipeline) -> None:
    pipeline.forget()
    good = [raw.an_event(n) for n in range(40)]  # of two dates
    bad = raw.an_event(41, ClientIP="nonsense")
    refs = [
        pipeline.put_lines("cloudflare/2.ford/good.log.gz", good),
        pipeline.put_lines("cloudflare/2.ford/bad.log.gz", [*good[:20], bad]),
    ]
    counted = Counted(pipeline)
    for handler, event in pipeline.steps("dates", refs):
        counted(handler, event)
    run = Run(objects=2, slices=2, units=1, slice_days=2, days=2, quarantining=1)
    assert counted.requests == {step: +requests for step, requests in run_steps(run).items()}


def test_model_counts_slices_of_a_large_object() -> None:
    with Pipeline.alone(SLICE_ROWS="4096") as pipeline:
        ref = pipeline.put("cloudflare/47/large.parquet", raw.parquet(10_000))
        counted = Counted(pipeline)
        for handler, event in pipeline.steps("large", [ref]):
            counted(handler, event)
        # Five row groups, two in a slice. The first come with the magic; all others have magic and footer apart, also
        # the last, since DuckDB puts Bloom filters before the footer.
        run = Run(objects=1, slices=3, units=1, parquet=True, extra_ranges=1 + 2 + 2)
        assert counted.requests == {step: +requests for step, requests in run_steps(run).items()}


def _today(refs: list[dict[str, str]], pipeline: Pipeline) -> str:
    modified = pipeline.s3.head_object(Bucket=RAW, Key=refs[0]["key"])["LastModified"]
    return str(modified.date())


def _put(pipeline: Pipeline, name: str, number: int, *, parquet: bool) -> dict[str, str]:
    if parquet:
        return pipeline.put(f"cloudflare/47/{name}-{number}.parquet", raw.parquet(100 + number))
    events = [raw.an_event(1000 * number + n, Datetime=f"{DAY}T{n % 24:02}:00:00Z") for n in range(50)]
    return pipeline.put_lines(f"cloudflare/2.ford/{name}-{number}.log.gz", events)
