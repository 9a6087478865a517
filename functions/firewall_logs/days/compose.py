"""Composition: the domain's objects with the adapters they need, alike for a function and for a task.

A test takes the adapters that are imported here for those of every handler that imports this module.
"""

from typing import TYPE_CHECKING

from firewall_logs.adapters.lake import LakeReader, LakeWriter
from firewall_logs.adapters.seals import CompactionReceiptBook, SealPlanReader
from firewall_logs.days.compactor import Compactor
from kernel import aws
from kernel.clock import utc_now

if TYPE_CHECKING:
    from firewall_logs.settings import BatchSettings, CompactSettings


def compactor(settings: "CompactSettings | BatchSettings", memory_mb: int) -> Compactor:
    """Return a compactor.

    Args:
        settings: Whose buckets it works on.
        memory_mb: Memory that the function or task was given.
    """
    s3 = aws.s3()
    return Compactor(
        SealPlanReader(s3, settings.runs_bucket),
        LakeReader(s3, settings.lake_bucket),
        LakeWriter(s3, settings.lake_bucket),
        CompactionReceiptBook(s3, settings.runs_bucket),
        memory_mb=memory_mb,
        now=utc_now,
    )
