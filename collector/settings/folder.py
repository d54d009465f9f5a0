"""The folder in which each tenant is a file: `contoso.toml` has the keys of `[tenants.contoso]`. Is read once, whole.

Files that don't end in `.toml` and those that begin with a dot are somebody else's: an editor's, a ConfigMap's.
"""

import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from collector.settings.keys import TENANTS
from collector.settings.problems import not_toml
from collector.settings.sources import Document, located, printable

_ENDING = ".toml"

TOO_MUCH = "not TOML that can be read: a number of thousands of digits, or tables too deep in one another"


@dataclass(frozen=True, slots=True)
class Folder:
    """What was found: by tenant its file and the tables in it, None where it can't be read, and why in a line each.

    `whole`: whether the names are those of all tenants that there are to be.
    """

    documents: Mapping[str, Document] = field(default_factory=dict)
    tables: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    problems: Sequence[str] = ()
    whole: bool = True

    def without(self, names: Container[str]) -> "Folder":
        """Return it without the tenants of these names."""
        documents = {name: document for name, document in self.documents.items() if name not in names}
        return replace(self, documents=documents, tables={name: self.tables[name] for name in documents})


class _Unreadable(Exception):
    """Why, in a line."""


def read_folder(folder: Path, start: Path) -> Folder:
    """Return the tenants of a folder, in the order of their names. Messages name files as seen from `start`.

    Raise OSError when the folder itself can't be read.
    """
    documents: dict[str, Document] = {}
    tables: dict[str, dict[str, Any] | None] = {}
    problems = []
    for path in sorted(_files(folder)):
        name = path.name.removesuffix(_ENDING)
        called = printable(str(path.relative_to(start) if path.is_relative_to(start) else path))
        documents[name] = Document(path, "", called)
        tables[name] = None
        try:
            documents[name] = Document(path, _text(path, called), called)
            tables[name] = _tables(documents[name], name)
        except _Unreadable as problem:
            problems.append(str(problem))
    return Folder(documents, tables, problems)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.name.endswith(_ENDING) and not path.name.startswith("."))


def _text(path: Path, called: str) -> str:
    try:
        # A named pipe would have its reader wait for a writer, without an end.
        if path.exists() and not path.is_file():
            raise _Unreadable(f"{called}: is not a plain file")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _Unreadable(f"{called}: can't be read ({error.strerror or type(error).__name__})") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"{located(called, line)}: not UTF-8 text") from None


def _tables(document: Document, name: str) -> dict[str, Any]:
    called = document.called
    try:
        tables = tomllib.loads(document.text)
    except tomllib.TOMLDecodeError as error:
        raise _Unreadable(not_toml(called, document.text, str(error), inside=called)) from None
    except (ValueError, RecursionError):
        raise _Unreadable(f"{called}: {TOO_MUCH}") from None
    if list(tables) == [TENANTS]:
        line = document.lines.get((TENANTS, name), document.lines[TENANTS,])
        raise _Unreadable(
            f"{located(called, line)}: a tenant's own file has its keys alone; leave the header [tenants.NAME] out"
        )
    return tables
