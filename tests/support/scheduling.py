"""Which worker runs what: a file stays whole, and so do all files that share the deployed application.

Deploying it, and starting each of its functions, takes longer than most of what is tested with it. Those tests wait
much of the time, while the other workers use the processors.
"""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

_APPLICATION = "tests/e2e"
# Whoever starts a cloud has an application of its own.
_OWN_CLOUD = "EmbeddedCloud.start("


class ApplicationScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Distributes files, and what shares the deployed application as if it were one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(self.config.rootpath, nodeid.split("::", 1)[0])


@cache
def scope(root: Path, file: str) -> str:
    """Return what a test file is distributed with."""
    if Path(file).is_relative_to(_APPLICATION) and _OWN_CLOUD not in (root / file).read_text():
        return _APPLICATION
    return file
