"""What the steps of drill_restore send each other, and what is kept of a drill."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from kernel.contracts import Contract, MachineInput

_Table = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{3,255}$")]


class StartDrill(MachineInput):
    """Input of drill_restore.

    Attributes:
        table: That is restored; it is read and never changed.
        most_gb: How large a table may be: a restore is paid by the GB.
        most_counted_gb: How much of the restored table is read at most to count its items, which is paid by the read; a
            table that is larger is not counted.
        most_counted_minutes: For how long it is counted at most.
        rto_minutes: Within which a restore should be over.
        rpo_minutes: How much may be lost.
    """

    described: ClassVar = "docs/data_protection.md#how-long-a-restore-takes"

    table: _Table
    most_gb: float = Field(default=100, gt=0)
    most_counted_gb: float = Field(default=10, ge=0)
    most_counted_minutes: float = Field(default=60, gt=0)
    rto_minutes: float = Field(default=60, gt=0)
    rpo_minutes: float = Field(default=5, gt=0)


class Drill(Contract):
    """A drill that was begun, as it is kept.

    Attributes:
        asked: The input.
        source_arn: Of the table.
        scratch: Name of the table that it is restored to.
        restored_to: The moment to which it is restored: the latest that there was.
        began: When the restore was asked for.
    """

    asked: StartDrill
    source_arn: str
    scratch: str
    restored_to: datetime
    began: datetime


class DrillRef(Contract):
    """Names a drill."""

    run: str = Field(min_length=1)
    time: datetime
    table: _Table


class DrillStarted(Contract):
    """What is restored, and to where."""

    scratch: str
    restored_to: datetime


class DrillChecked(Contract):
    """How far a drill is.

    Attributes:
        is_over: Whether the table is restored, was compared, and what was found is kept.
        seconds: Since the restore was asked for; what was measured, once it is over.
        key: Of what was found, in the lake bucket; it is there once this is over.
    """

    is_over: bool
    seconds: float
    key: str


class DrillEnded(Contract):
    """Whether nothing is left of a drill.

    Attributes:
        is_gone: Whether the scratch table is; while AWS still restores or deletes it, it cannot be deleted.
    """

    is_gone: bool


class DrillResult(Contract):
    """What a drill found, as it is kept.

    Attributes:
        drill: What was done.
        seconds: From asking for the restore until the table was seen to be active, to within the time between looks.
        meets_rto: Whether that is within the RTO, before what is lacking is set again.
        lost_seconds: How far before the asking the moment lies to which could be restored.
        meets_rpo: Whether that is within the RPO.
        source_items: Of the table, by AWS' own count, which is up to six hours old.
        source_bytes: Likewise.
        differing: Settings that should have come back and have not, one sentence each.
        to_set: Settings that never come back by a restore and that the table has, one sentence each.
    """

    drill: Drill
    seconds: float
    meets_rto: bool
    lost_seconds: float
    meets_rpo: bool
    source_items: int
    source_bytes: int
    differing: tuple[str, ...]
    to_set: tuple[str, ...]


class DrillCount(Contract):
    """How far the counting of the restored items is, as it is kept; each state is whole in itself.

    The table is counted in segments of Scan, which DynamoDB makes alike by the hash of the key: what is kept of a count
    that goes on is a number, and no key of an item.

    Attributes:
        began: When it began.
        segments: Into how many the table is divided.
        counted: How many of them are.
        items: In these.
        units: Read capacity units that were used.
        is_over: Whether nothing more is counted.
        note: Why it is over without all segments; empty otherwise.
        seconds: That it took; 0 until it is over.
    """

    began: datetime
    segments: int = Field(ge=1)
    counted: int = 0
    items: int = 0
    units: float = 0
    is_over: bool = False
    note: str = ""
    seconds: float = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of the table is counted."""
        return self.counted == self.segments


class DrillCounted(Contract):
    """How far the counting is.

    Attributes:
        is_over: Whether nothing more is counted.
        is_whole: Whether all of the table is counted.
        items: So far.
    """

    is_over: bool
    is_whole: bool
    items: int
