"""Keys of data_protection in the lake bucket, and of the scores in the table of findings.

All are made of what they name, so that doing a thing again meets what was done.
"""

from datetime import date
from typing import Final

from data_protection.resources import Place

PREFIX: Final = "data_protection"
# Of the entries in the table of findings that hold scores, `score#<time>#<run>`.
SCORE: Final = "score#"
# And those that hold drifts that are open, `drift#<check>#<arn>`.
DRIFT: Final = "drift#"
# And those that hold drifts that are no more, `ended#<found>#<id>`.
DRIFT_END: Final = "ended#"
# Below which the reports of all runs are kept.
REPORTS: Final = f"{PREFIX}/reports/"
# The accounts and regions that are looked after; people write it, and nothing else does.
ESTATE_KEY: Final = f"{PREFIX}/estate.json"


def profile_key(name: str) -> str:
    """Return where a profile is looked for before the shipped ones."""
    return f"{PREFIX}/profiles/{name}.yaml"


def findings_key(run: str, day: date, place: Place) -> str:
    """Return where the findings of a run about a place are kept, as gzipped JSON lines."""
    return f"{findings_prefix(run, day)}{place.account}-{place.region}.jsonl.gz"


def findings_prefix(run: str, day: date) -> str:
    """Return below which the findings of a run are kept, an object a place."""
    return f"{PREFIX}/findings/date={day}/run={run}/"


def conflicts_key(run: str, day: date, place: Place) -> str:
    """Return where the conflicts of a run on a place are kept, as gzipped JSON lines."""
    return f"{PREFIX}/conflicts/date={day}/run={run}/{place.account}-{place.region}.jsonl.gz"


def exceptions_key(run: str, day: date, place: Place) -> str:
    """Return where the exceptions that a run met in a place are kept, as gzipped JSON lines."""
    return f"{PREFIX}/exceptions/date={day}/run={run}/{place.account}-{place.region}.jsonl.gz"


def reports_prefix(run: str, day: date) -> str:
    """Return below which the report of a run is kept."""
    return f"{REPORTS}date={day}/run={run}/"


def history_key(run: str, day: date) -> str:
    """Return where the findings of a run over all places are kept, as parquet."""
    return f"{PREFIX}/history/date={day}/{run}.parquet"


def snapshot_key(run: str, day: date, place: Place) -> str:
    """Return where the answers that were judged are kept, as gzipped JSON."""
    return f"{PREFIX}/snapshots/date={day}/run={run}/{place.account}-{place.region}.json.gz"


def plan_key(plan: str) -> str:
    """Return where the plan of a hash is kept, as JSON."""
    return f"{PREFIX}/plans/{plan}.json"


def simulation_prefix(run: str) -> str:
    """Return below which the simulation of a lock is worked on."""
    return f"{PREFIX}/locking/run={run}/"


def lock_prefix(simulation: str) -> str:
    """Return below which the lock of a simulation is worked on and reported; it is made once, by whatever runs."""
    return f"{PREFIX}/locking/lock={simulation}/"


def simulation_key(simulation: str) -> str:
    """Return where the simulation of a hash is kept."""
    return f"{PREFIX}/locking/simulation={simulation}/simulation.json"


def forecast_prefix(run: str, day: date) -> str:
    """Return below which a forecast is kept: its plan, what was counted, and its report."""
    return f"{PREFIX}/forecasts/date={day}/run={run}/"


def drill_prefix(table: str, run: str, day: date) -> str:
    """Return below which a restore drill of a table is kept."""
    return f"{PREFIX}/drills/table={table}/date={day}/run={run}/"


def request_key(name: str) -> str:
    """Return where a request for resources is looked for before the shipped ones."""
    return f"{PREFIX}/requests/{name}.yaml"


def creation_prefix(run: str, day: date) -> str:
    """Return below which a run that makes resources keeps what was asked, planned, called and found."""
    return f"{PREFIX}/creations/date={day}/run={run}/"
