"""A forecast as JSON: all that its page says, for programs.

Sums are rounded to the cent, and what sums are made of to a millionth of a USD, so that lines add up to their sum.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from math import ceil
from typing import Any

from data_protection.lifecycle.forecast import Bill, RuleEffect
from data_protection.lifecycle.reach import Reach
from data_protection.reports.forecast import Forecast, Sample
from data_protection.reports.forecast_words import CHARGES, cents
from kernel.prices import AS_OF, REGION


def as_json(forecast: Forecast) -> bytes:
    """Return the forecast as a JSON object; USD by year from 1, sizes in whole bytes, ages in days."""
    plan = forecast.plan
    body = {
        "run": plan.asked.run,
        "bucket": plan.asked.bucket,
        "account": plan.account,
        "region": plan.region,
        "taken": plan.taken.isoformat(),
        "prices": {"region": REGION, "as_of": AS_OF.isoformat(), "note": forecast.prices_note},
        "source": plan.source,
        "rules": (plan.lifecycle or {}).get("Rules", []),
        "years": forecast.terms.years,
        "saving_percent": None if forecast.saving_percent is None else round(forecast.saving_percent, 1),
        "charges": {item.value: said for item, said in CHARGES.items()},
        "bills": {name: _bill(getattr(forecast, name)) for name in ("standard", "present", "lifecycle")},
        "effects": [_effect(forecast, effect) for effect in forecast.effects],
        "stored": {
            storage_class.value: {"objects": round(objects), "bytes": round(size)}
            for storage_class, (objects, size) in forecast.stored.items()
        },
        "out_of_reach_within_an_hour": [asdict(one) for one in forecast.out_of_reach],
        "sample": None if forecast.sample is None else _sample(forecast.sample),
        "left_out": forecast.left_out,
        "assumptions": forecast.assumptions,
    }
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "total": cents(bill.total),
        "lines": [
            {"year": year, "storage_class": storage_class.value, "charge": item.value, "usd": _exact(usd)}
            for (year, storage_class, item), usd in bill.usd.items()
        ],
        "by_size": _by_size(bill.by_size),
    }


def _effect(forecast: Forecast, effect: RuleEffect) -> dict[str, Any]:
    return {
        "rule": effect.rule,
        "prefix": effect.prefix,
        "moving_usd": None if effect.moving is None else cents(effect.moving),
        "deleting_usd": None if effect.deleting is None else cents(effect.deleting),
        "loses": effect.loses,
        "pays_from_bytes": _whole(effect.pays_from),
        "verdict": forecast.verdict(effect),
        "reached": forecast.reached(effect),
        "objects": None if effect.reach is None else _reach(effect.reach),
        "moving_by_size": _by_size(effect.moving_by_size),
        "steps": [
            {
                "noncurrent": step.noncurrent,
                "from": step.source.value,
                "to": step.storage_class.value,
                "days": step.days,
                "stay_days": step.stay,
                "pays_from_bytes": _whole(step.pays_from),
            }
            for step in effect.steps
        ],
    }


def _reach(reach: Reach) -> dict[str, Any]:
    return {
        "moved_at_once": round(reach.at_once),
        "moved_as_they_age": round(reach.as_they_age),
        "left": {leaving.value: round(objects) for leaving, objects in reach.left.items()},
    }


def _sample(sample: Sample) -> dict[str, Any]:
    return {
        "listed": sample.listed,
        "there": None if sample.there is None else round(sample.there),
        "error": None if sample.error is None else round(sample.error, 1),
    }


def _by_size(usd: Mapping[int, float]) -> list[dict[str, float]]:
    return [{"from_bytes": octave, "usd": _exact(amount)} for octave, amount in usd.items()]


def _exact(usd: float) -> float:
    return round(usd, 6) + 0.0  # never -0.0


def _whole(size: float | None) -> int | None:
    """Return the smallest whole size from which on something pays."""
    return None if size is None else ceil(size)
