"""Tables of figures, and their place in a document."""

from collections.abc import Sequence
from pathlib import Path


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replaced(document: str, text: str, marks: tuple[str, str]) -> str:
    """Return the document with the text between its two marks."""
    begin, end = marks
    head, _, rest = document.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n\n{text}\n\n{end}{tail}"


def put(path: Path, text: str, marks: tuple[str, str]) -> None:
    """Put the text between the marks of a document."""
    path.write_text(replaced(path.read_text("utf-8"), text, marks), "utf-8")
