"""Faults in what a good answer says: rows that lack something, and pages. Is not a fault of HTTP: all are 200."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from collector.simulator.fault_kind import API, Kind, is_count, need

Row = dict[str, Any]

_BAD = MappingProxyType({"null": None, "text": "41.3", "boolean": True, "nan": float("nan")})
_MISSING = "missing"
_GROUPS = ("device_groups",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiling(Kind, ABC):
    """A fault in the rows of an answer that is good but for them."""

    @abstractmethod
    def spoil(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a body of the API with what is wrong in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRows(Spoiling):
    """Scores that aren't numbers: the first rows get `scores` in that order, a body of one score the first of them."""

    name: ClassVar[str] = "bad_rows"
    subjects: ClassVar[tuple[str, ...]] = API
    scores: Sequence[str] = ("null", "text", "boolean", _MISSING, "nan")

    def __post_init__(self) -> None:
        known = (*_BAD, _MISSING)
        fit = isinstance(self.scores, list | tuple) and self.scores and all(score in known for score in self.scores)
        need(bool(fit), f"scores is a list of {', '.join(known)}")

    def spoil(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a body of the API with bad scores in it."""
        if "value" not in payload:
            return _spoilt(payload, self.scores[0])
        rows = payload["value"]
        bad = [_spoilt(row, score) for row, score in zip(rows, self.scores, strict=False)]
        return {**payload, "value": [*bad, *rows[len(bad) :]]}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoIds(Spoiling):
    """Groups without their ids: null in every second row, not there at all in the others."""

    name: ClassVar[str] = "no_ids"
    subjects: ClassVar[tuple[str, ...]] = _GROUPS
    usual: ClassVar[tuple[str, ...]] = _GROUPS

    def spoil(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a list of groups without their ids."""
        rows = [{key: value for key, value in row.items() if key != "rbacGroupId"} for row in payload["value"]]
        return {**payload, "value": [row | {"rbacGroupId": None} if n % 2 else row for n, row in enumerate(rows)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages(Kind):
    """Pages of `size` rows, as OData has them. Is a fault only to who reads the first page alone."""

    name: ClassVar[str] = "pages"
    subjects: ClassVar[tuple[str, ...]] = _GROUPS
    usual: ClassVar[tuple[str, ...]] = _GROUPS
    size: int = 2

    def __post_init__(self) -> None:
        need(is_count(self.size), "size is a number of rows, 1 or more")

    def page(self, rows: Sequence[Row], skip: int, url: str) -> tuple[Sequence[Row], str | None]:
        """Return the rows from `skip` on, and the URL of the next page, None on the last; `url`: this call's."""
        return self._page(rows, skip, url)

    def _page(self, rows: Sequence[Row], skip: int, url: str) -> tuple[Sequence[Row], str | None]:
        end = skip + self.size
        return rows[skip:end], f"{url}?$skip={end}" if end < len(rows) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageElsewhere(Pages):
    """Each next page, one at least, is said to be on `origin`, such as `https://api.example.com`."""

    name: ClassVar[str] = "page_elsewhere"
    origin: str

    def __post_init__(self) -> None:
        Pages.__post_init__(self)
        parts = urlsplit(self.origin) if isinstance(self.origin, str) else None
        need(parts is not None and bool(parts.scheme and parts.netloc), "origin is a scheme and a host")

    def _page(self, rows: Sequence[Row], skip: int, url: str) -> tuple[Sequence[Row], str | None]:
        end = skip + self.size
        link = f"{self.origin.rstrip('/')}{urlsplit(url).path}?$skip={end}"
        return rows[skip:end], link if end < len(rows) or not skip else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLoop(Pages):
    """The next page is this page."""

    name: ClassVar[str] = "page_loop"

    def _page(self, rows: Sequence[Row], skip: int, url: str) -> tuple[Sequence[Row], str | None]:
        return rows[skip : skip + self.size], f"{url}?$skip={skip}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesEndless(Pages):
    """There is always a next page, never the same one; the rows come round again."""

    name: ClassVar[str] = "pages_endless"

    def _page(self, rows: Sequence[Row], skip: int, url: str) -> tuple[Sequence[Row], str | None]:
        end = skip + self.size
        return [rows[index % len(rows)] for index in range(skip, end)], f"{url}?$skip={end}"


def _spoilt(row: Row, score: str) -> Row:
    good = {name: value for name, value in row.items() if name != "score"}
    return good if score == _MISSING else {**good, "score": _BAD[score]}
