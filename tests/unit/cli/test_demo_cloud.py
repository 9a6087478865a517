"""When the embedded cloud of a demo ends."""

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.demo_cloud import start_cloud
from local.supervisor import EmbeddedCloud


class Clouds:
    """Stands for all embedded clouds of the machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, left: bool) -> None:
        self.log: list[str] = []
        old = SimpleNamespace(state=SimpleNamespace(port=4711), stop=lambda: self.log.append("old stopped"))
        monkeypatch.setattr(EmbeddedCloud, "find", lambda _name: old if left else None)
        monkeypatch.setattr(EmbeddedCloud, "start", self._start)

    def start(self, *, keep: bool) -> None:
        with ExitStack() as stack:
            start_cloud(cast("Any", SimpleNamespace(note=self.log.append)), stack, "demo", keep=keep)
            self.log.append("demo")

    def _start(self, _name: str, *, detached: bool, **_rest: Any) -> Any:
        self.log.append("detached" if detached else "leashed")
        return SimpleNamespace(stop=lambda: self.log.append("stopped"))


@pytest.mark.parametrize(
    ("keep", "log"), [(False, ["leashed", "demo", "stopped"]), (True, ["detached", "demo"])], ids=["ends", "kept"]
)
def test_cloud_ends_with_the_demo_unless_it_is_kept(
    monkeypatch: pytest.MonkeyPatch, *, keep: bool, log: list[str]
) -> None:
    clouds = Clouds(monkeypatch, left=False)
    clouds.start(keep=keep)
    assert clouds.log == log


def test_cloud_of_an_earlier_demo_is_stopped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clouds = Clouds(monkeypatch, left=True)
    clouds.start(keep=True)
    assert clouds.log == [
        "the embedded cloud of an earlier demo, on port 4711, is stopped",
        "old stopped",
        "detached",
        "demo",
    ]
