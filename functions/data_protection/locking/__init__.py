"""Object Lock for buckets that exist: what it would do, and doing it version by version."""

from typing import Final

PHASE: Final = 4
"""Of the standard's remediation, by whose role of an account buckets are locked."""
