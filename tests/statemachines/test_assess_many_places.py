"""An assessment of thousands of places stays within what Step Functions takes of a state: 256 KiB.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import json
from typing import Any

import yaml
from jsonata import Jsonata

from data_protection.contracts import PlaceAssessed, PlaceRef, PlacesListed
from local.paths import ROOT

LIMIT = 256 * 1024
PLACES = 2_000
MAP = yaml.safe_load((ROOT / "statemachines/data_protection/assess_account.asl.yaml").read_text())["States"][
    "AssessPlaces"
]
TASK = MAP["ItemProcessor"]["States"]["AssessPlace"]
PLACE = PlaceRef(account="222222222222", region="ap-southeast-1", partition="aws", is_home=True)


def evaluated(expression: str, **states: Any) -> Any:
    compiled = Jsonata(expression.removeprefix("{%").removesuffix("%}"))
    compiled.assign("states", states)
    return compiled.evaluate({})


def assessed(percent: float | None = 97.5) -> Any:
    counts = dict.fromkeys(("pass", "fail", "warn", "unknown", "excepted", "not_applicable"), 1000)
    made = PlaceAssessed.model_validate(
        {"place": PLACE, "percent": percent, "coverage": 99.9, "counts": counts, "calls": 5200, "key": "k" * 120}
    )
    return evaluated(TASK["Output"], result={"Payload": made.model_dump(mode="json")})


def size(value: Any) -> int:
    return len(json.dumps(value).encode())


def test_places_that_are_listed_and_assessed_are_within_the_limit() -> None:
    listed = PlacesListed(
        places=(PLACE,) * PLACES, whole_profiles={f"{number:064}": 4 for number in range(PLACES // 4)}
    )
    results = [assessed() for _ in range(2)] * (PLACES // 2)
    told = evaluated(MAP["Output"]["places"], result=results)

    assert size(listed.model_dump(mode="json")) < LIMIT
    assert size(results) < LIMIT
    assert len(told) == PLACES
    assert size(told) < LIMIT


def test_place_of_which_nothing_is_known_is_told_as_such() -> None:
    (told,) = evaluated(MAP["Output"]["places"], result=[assessed(None)])

    assert told == {
        "account": "222222222222",
        "region": "ap-southeast-1",
        "percent": None,
        "coverage": 99.9,
        "calls": 5200,
    }


def test_four_hundred_places_may_fail_at_once_and_each_is_told_of() -> None:
    cause = json.dumps({"errorMessage": "STS refuses the role " + "x" * 2000, "errorType": "AccessRefused"})
    output = evaluated(
        TASK["Catch"][0]["Output"]["told"],
        input={"place": PLACE.model_dump()},
        errorOutput={"Error": "AccessRefused", "Cause": cause},
    )
    failed = [{"failed": True, "told": output}] * 400

    assert output.startswith("222222222222 in ap-southeast-1: AccessRefused: STS refuses the role")
    assert size(failed) < LIMIT
    assert evaluated(MAP["Assign"]["failures"], result=failed) == [output] * 400
