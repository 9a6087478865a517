"""Pages for people, as whoever reads, hears or opens them has them."""

from html.parser import HTMLParser
from typing import Final

_VOID: Final = {"meta", "input", "rect", "circle", "line", "path", "col"}


class Page(HTMLParser):
    """A page whose elements are all closed.

    Attributes:
        text: What is read.
        fetched: What it would load.
        elements: Name and attributes of each element in its order.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.fetched = "", list[str]()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.fetched += [value for name, value in attrs if name in {"src", "href"} and value]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "script"}:
            self.text += data
