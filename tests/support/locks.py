"""Lock files, judged without resolving: resolving asks a registry, and an upload there would turn a check red."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[\w,.-]+])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\]*)?")
_NAME = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[^]]*])?\s*(==\s*(?P<version>\S+))?")
_HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?")
# Where packages come from is the business of the machine that installs them.
_PLACES = re.compile(r"--(extra-)?index-url|--find-links|--trusted-host|https?://|file:")


@dataclass(frozen=True)
class Pin:
    """One line of a lock file, with the hashes below it."""

    name: str
    version: str
    hashes: int


def lock_files(root: Path) -> list[Path]:
    """Return what each `.in` file is locked in; the development environment first, as the others are bound by it."""
    inputs = sorted([*root.glob("requirements/*.in"), *root.glob("layers/*/requirements.in")])
    inputs.sort(key=lambda path: path.name != "dev.in")
    return [path.with_suffix(".txt") for path in inputs]


def pins(text: str) -> list[Pin]:
    """Return the pins of a lock file; a package may be there twice, under markers that exclude each other."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return [
        Pin(_normal(pin["name"]), pin["version"], block.count("--hash=sha256:"))
        for block in blocks
        if (pin := _PIN.match(block))
    ]


def lock_problems(root: Path) -> Iterator[str]:
    """Yield what is wrong with the locks, one sentence each."""
    dev = {(pin.name, pin.version) for pin in pins((root / "requirements/dev.txt").read_text())}
    for path in lock_files(root):
        place = path.relative_to(root)
        if not path.exists():
            yield f"{place} is missing: run `make lock`"
            continue
        text = path.read_text()
        yield from (f"{place} {problem}" for problem in _file_problems(text, path.with_suffix(".in").read_text(), dev))


def _file_problems(text: str, wanted: str, dev: set[tuple[str, str]]) -> Iterator[str]:
    locked = pins(text)
    known = {(pin.name, pin.version) for pin in locked}
    yield from _form_problems(text, locked)
    for line in wanted.splitlines():
        request = _NAME.match(line)
        if request and not any(
            name == _normal(request["name"]) and request["version"] in {None, version} for name, version in known
        ):
            yield f"does not lock '{line}', which its .in file asks for: run `make lock`"
    if re.search(r"^-c .*dev\.txt$", wanted, re.MULTILINE):
        bound = {name for name, _ in dev}
        for name, version in sorted(known - dev):
            if name in bound:
                yield f"locks {name}=={version}, which is another version than in requirements/dev.txt"


def _form_problems(text: str, locked: list[Pin]) -> Iterator[str]:
    if place := _PLACES.search(text):
        yield f"says where packages come from ({place[0]}): that is the machine's business"
    for line in text.splitlines():
        if not (_HASH.fullmatch(line) or _PIN.match(line)):
            yield f"has a line that is neither a pin nor a hash: {line!r}"
    yield from (f"has no hash for {pin.name}" for pin in locked if not pin.hashes)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
