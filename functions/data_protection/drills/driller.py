"""The work of drill_restore: restore beside, look, delete."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from data_protection.drills.comparison import result
from data_protection.drills.contracts import Drill, DrillChecked, DrillEnded, DrillResult, StartDrill
from data_protection.drills.scratch import is_scratch, scratch_name
from data_protection.errors import DrillRefused

if TYPE_CHECKING:
    from data_protection.adapters.drill_deletions import ScratchTables
    from data_protection.adapters.drill_looks import Looks
    from data_protection.adapters.drill_restores import Restores
    from data_protection.adapters.drills import DrillStore

_GB: Final = 1024**3


def start(asked: StartDrill, restores: "Restores", store: "DrillStore", now: datetime) -> Drill:
    """Ask for the restore; asked again by the same run, go on with what was asked for.

    Raises:
        DrillRefused: The table is missing, itself a scratch table, too large, or cannot be restored.
    """
    if is_scratch(asked.table):
        raise DrillRefused(f"{asked.table} is a scratch table of a drill: name the table that it was made from.")
    drill = store.find()
    if drill is None:
        arn, size = restores.table(asked.table)
        if size > asked.most_gb * _GB:
            raise DrillRefused(
                f"{asked.table} has {size / _GB:.1f} GB, and a restore is paid by the GB: give a most_gb above that to "
                "drill it all the same."
            )
        drill = store.keep(
            Drill(
                asked=asked,
                source_arn=arn,
                scratch=scratch_name(asked.table, asked.run),
                restored_to=restores.latest(asked.table),
                began=now,
            )
        )
    restores.restore(drill)
    return drill


def check(drill: Drill, looks: "Looks", store: "DrillStore", now: datetime) -> tuple[DrillChecked, DrillResult | None]:
    """Look whether the table is restored, and once it is, compare it and keep what was found."""
    seconds = (now - drill.began).total_seconds()
    found = store.found()
    if found is not None:
        return DrillChecked(is_over=True, seconds=found.seconds, key=store.found_key), found
    scratch = looks.of(drill.scratch)
    if scratch.table["TableStatus"] != "ACTIVE":
        return DrillChecked(is_over=False, seconds=seconds, key=store.found_key), None
    source = looks.of(drill.asked.table)
    found = store.keep_found(result(drill, source, scratch, now))
    return DrillChecked(is_over=True, seconds=found.seconds, key=store.found_key), found


def end(drill: Drill | None, scratch_tables: "ScratchTables") -> DrillEnded:
    """Delete the scratch table of a drill; of one that was not begun there is none."""
    return DrillEnded(is_gone=drill is None or scratch_tables.delete(drill.scratch, drill.source_arn))
