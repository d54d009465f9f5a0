"""A page as a browser reads it: its elements with their attributes, and its text."""

from collections.abc import Sequence
from html.parser import HTMLParser

_UNSEEN = {"style", "title"}


class Parsed(HTMLParser):
    """`elements`: each with its attributes, in their order; `said`: all that is to be read, blanks folded."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(page)
        self.close()

    @property
    def said(self) -> str:
        """All that is to be read."""
        return " ".join(" ".join(self._texts).split())

    def all(self, name: str) -> Sequence[dict[str, str | None]]:
        """Return the attributes of each element of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are closed in their order"

    def handle_data(self, data: str) -> None:
        if not _UNSEEN & set(self._open):
            self._texts.append(data)
