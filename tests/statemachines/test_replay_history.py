"""A replay waits for days, and a history holds 25,000 events, after which an execution just fails.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from local.paths import ROOT
from tests.support.definitions import is_distributed, read

MOST_EVENTS = 25_000
# Entered, scheduled, started, succeeded, exited; others are entered and exited.
EVENTS = {"Task": 5}
LONGEST_WAIT = 300


def test_history_of_a_list_holds_all_that_happens_while_the_machine_may_run() -> None:
    machine = read(ROOT / "statemachines" / "database_logs" / "replay_logs.asl.yaml")
    lists = machine["States"]["ReplayLists"]
    states = lists["ItemProcessor"]["States"]
    loop = ["WaitForParsers"]
    while (following := states[loop[-1]].get("Default", states[loop[-1]].get("Next"))) != loop[0]:
        loop.append(following)
    assert f"$min([{LONGEST_WAIT}, " in states["WaitForParsers"]["Seconds"]

    looks = machine["TimeoutSeconds"] / LONGEST_WAIT + 30  # the first ones are shorter
    events = looks * sum(EVENTS.get(states[name]["Type"], 2) for name in loop)

    assert is_distributed(lists)
    assert 1000 < events < MOST_EVENTS / 2
