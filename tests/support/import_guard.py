"""Refuses to import polars or pyarrow where the other one is, or is to be."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_OTHER = {"polars": "pyarrow", "pyarrow": "polars"}


class TwoLibrariesOneProcess(ImportError):
    """polars and pyarrow were to share a process."""


class _Refusing(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        raise TwoLibrariesOneProcess(
            f"{spec.name} must not be imported here: it and {_OTHER[spec.name]} never share a process. A test file "
            "that needs pyarrow says `pytestmark = pytest.mark.pyarrow`; `make test` runs those files apart."
        )

    def exec_module(self, module: ModuleType) -> None:  # noqa: ARG002 - the importer's protocol
        raise AssertionError("unreachable: there is no module")


class _Guard(MetaPathFinder):
    def __init__(self) -> None:
        self.forbidden: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the importer's protocol
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        # Asking whether a library is there, as polars asks about pyarrow, is no import and gets its answer.
        if fullname in self.forbidden or _OTHER.get(fullname) in sys.modules:
            return ModuleSpec(fullname, _Refusing())
        return None


def forbid(library: str) -> None:
    """Refuse this library from now on."""
    guard = _Guard()
    guard.forbidden.add(library)
    sys.meta_path.insert(0, guard)


def forbid_both() -> None:
    """Refuse whichever of the two comes second."""
    sys.meta_path.insert(0, _Guard())
