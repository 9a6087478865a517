"""A forecast as JSON: all that its page says, for programs."""

import json
from dataclasses import asdict
from typing import Any

from data_protection.lifecycle.forecast import Bill, RuleEffect
from data_protection.reports.forecast import Forecast


def as_json(forecast: Forecast) -> bytes:
    """Return the forecast as a JSON object; USD by year from 1, sizes in bytes, ages in days."""
    plan = forecast.plan
    body = {
        "run": plan.asked.run,
        "bucket": plan.asked.bucket,
        "account": plan.account,
        "region": plan.region,
        "taken": plan.taken.isoformat(),
        "source": plan.source,
        "rules": (plan.lifecycle or {}).get("Rules", []),
        "years": forecast.terms.years,
        "saving_percent": forecast.saving_percent,
        "bills": {name: _bill(getattr(forecast, name)) for name in ("standard", "present", "lifecycle")},
        "effects": [_effect(forecast, effect) for effect in forecast.effects],
        "stored": {
            storage_class.value: {"objects": objects, "bytes": size}
            for storage_class, (objects, size) in forecast.stored.items()
        },
        "out_of_reach_within_an_hour": [asdict(one) for one in forecast.out_of_reach],
        "sample": None if forecast.sample is None else asdict(forecast.sample),
        "left_out": forecast.left_out,
        "assumptions": forecast.assumptions,
    }
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "total": bill.total,
        "lines": [
            {"year": year, "storage_class": storage_class.value, "item": item.value, "usd": usd}
            for (year, storage_class, item), usd in bill.usd.items()
        ],
        "by_size": {str(octave): usd for octave, usd in bill.by_size.items()},
    }


def _effect(forecast: Forecast, effect: RuleEffect) -> dict[str, Any]:
    return {
        "rule": effect.rule,
        "prefix": effect.prefix,
        "moving_usd": effect.moving,
        "deleting_usd": effect.deleting,
        "loses": effect.loses,
        "pays_from_bytes": effect.pays_from,
        "verdict": forecast.verdict(effect),
        "moving_by_size": {str(octave): usd for octave, usd in effect.moving_by_size.items()},
        "steps": [
            {
                "noncurrent": step.noncurrent,
                "from": step.source.value,
                "to": step.storage_class.value,
                "days": step.days,
                "stay_days": step.stay,
                "pays_from_bytes": step.pays_from,
            }
            for step in effect.steps
        ],
    }
