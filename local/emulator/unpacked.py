"""Code and layer archives, unpacked once into folders named by their content."""

import hashlib
import os
import shutil
import tempfile
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

UNUSED_DAYS = 7


class UnpackedArchives:
    """A folder of unpacked archives that every server of this checkout shares."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, tuple[bytes, Path]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._forget_unused()

    def path(self, name: str, archive: bytes) -> Path:
        """Return the folder with the content of an archive.

        Args:
            name: What the archive is called; spares hashing the same bytes again.
            archive: A zip file.
        """
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] is not archive:
                known = self._known[name] = (archive, self._unpack(archive))
            return known[1]

    def _unpack(self, archive: bytes) -> Path:
        target = self._folder / hashlib.sha256(archive).hexdigest()
        if not target.exists():
            fresh = Path(tempfile.mkdtemp(dir=self._folder))
            with zipfile.ZipFile(BytesIO(archive)) as opened:
                opened.extractall(fresh)
            fresh.chmod(0o755)
            try:
                fresh.rename(target)
            except OSError:  # another server was faster
                shutil.rmtree(fresh)
        os.utime(target)
        return target

    def _forget_unused(self) -> None:
        oldest = time.time() - UNUSED_DAYS * 86_400
        for folder in self._folder.iterdir():
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
