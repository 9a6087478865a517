"""What the running process has used."""

import resource
import sys


def peak_rss_mb() -> float:
    """Return the most memory that this process ever had, in MiB."""
    # Linux counts kilobytes, macOS bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
