"""What is written down: links lead somewhere, and nothing tells of the machine it was written on."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from local.paths import ROOT

LINK = re.compile(r"(?<!`)!?\[[^\]]*]\((?P<target>[^)\s]+)(\s\"[^\"]*\")?\)")
# Written in two halves, so that this file does not contain what it looks for.
TRACES = {
    "a home or work folder": re.compile(r"(?<![\w.$}*<-])/(?:" + r"home|root|Users|work|workspace)/[\w.-]+"),
    "a package registry": re.compile(
        r"files\.python" + r"hosted\.org|registry\.npm" + r"js\.org|/opt/(?:py" + r"pi|wheels)"
    ),
}
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".txt", ".in", ".sh", ".js", ".css", ".html", ".j2", ""}


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - git
    paths = (ROOT / name for name in listed.splitlines())
    return tuple(path for path in paths if path.is_file() and path.suffix in TEXT)


def dead_links(document: Path, text: str) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    targets = [found["target"].partition("#")[0] for found in LINK.finditer(text)]
    return [t for t in targets if t and not re.match(r"\w+:", t) and not (document.parent / t).exists()]


def traces(text: str) -> list[str]:
    """Return what in a text belongs to one machine."""
    return [f"{kind}: {found[0]}" for kind, pattern in TRACES.items() for found in pattern.finditer(text)]


@pytest.mark.parametrize(
    "document", [path for path in tracked() if path.suffix == ".md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_lead_somewhere(document: Path) -> None:
    assert not dead_links(document, document.read_text())


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    found = {str(path.relative_to(ROOT)): traces(path.read_text()) for path in tracked()}

    assert not {name: seen for name, seen in found.items() if seen}


def test_a_dead_link_is_reported() -> None:
    text = "[here](test_documents.py) [there](gone.md#part) [web](https://example.com) [part](#part)"

    assert dead_links(Path(__file__), text) == ["gone.md"]


@pytest.mark.parametrize("place", ["/home/" + "jo/code", "/ro" + "ot/.cache", "https://files.python" + "hosted.org/x"])
def test_a_trace_is_reported(place: str) -> None:
    assert traces(f"see {place}.")
    there = "wo" + "rk/x"
    assert not traces(f"an arn:aws:iam::000000000000:root/x, s3://bucket/{there}, ./home/x and ${{HOME}}/{there}")
