"""From a file and the environment to settings, or to every problem at once. Reads no secret: each is read when used."""

import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from collector.errors import ConfigError
from collector.settings.ecosystem import ecosystem
from collector.settings.folder import TOO_MUCH, Folder, read_folder
from collector.settings.keys import (
    TENANTS,
    TENANTS_DIR,
    Kinds,
    Leaf,
    Named,
    Node,
    Place,
    Table,
    below,
    tree,
    within,
)
from collector.settings.models import Settings
from collector.settings.overlay import Tables, before_tenants, overlay
from collector.settings.problems import lines, not_toml
from collector.settings.secret import Located, Secret, path_fault, secret_fault
from collector.settings.shard import Posted
from collector.settings.shared import share, unshare
from collector.settings.sources import Document, Sources, located, printable

DEFAULT_FILE = Path("/etc/exposure-collector/collector.toml")
"""Read where neither --config nor $COLLECTOR_CONFIG names another, if it is there."""

_START = (
    f"no settings at all: name a file with --config or COLLECTOR_CONFIG, write {DEFAULT_FILE}, or set the variables "
    "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; to look around first: exposure-collector demo"
)

_REST = "what else stands in it was not looked at yet"


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `path`, else of $COLLECTOR_CONFIG, else of `DEFAULT_FILE`, else of the variables alone.

    Of the tenants, which may be files of their own, they have those of their shard. Every path in them is absolute: one
    from a file starts from the file's folder, one from a variable from the working folder. Raise ConfigError with a
    line for each problem of files and variables together.
    """
    file, text = _read(path, environ)
    tables, variables, problems = ecosystem(environ) if file is None else (_parsed(file, text), {}, [])
    document = Document(file, text) if file else None
    root = tree(Settings)
    first = {name: value for name, value in environ.items() if before_tenants(name)}
    overlaid, wrong = overlay(tables, root, first)
    problems += wrong
    folder = _folder(tables, Sources(document=document, variables=variables | overlaid), problems)
    shared = share(tables)
    more, wrong = overlay(tables, root, {name: value for name, value in environ.items() if name not in first})
    overlaid |= more
    problems += wrong
    if file is None and not tables and not problems:
        raise ConfigError([_START])
    unread = [name for name, found in folder.tables.items() if found is None]
    for name in unread if isinstance(tables.get(TENANTS), dict) else ():
        # It was there for the variables to find.
        tables[TENANTS].pop(name, None)
    unshare(tables, shared, overlaid)
    shared |= share(tables)
    variables = {place: name for place, name in variables.items() if not within(place, overlaid)} | overlaid
    sources = Sources(document=document, variables=variables, tenants=folder.documents, shared=shared)
    journal = tables.setdefault("journal", {})
    if isinstance(journal, dict):
        journal.setdefault("path", "exposure.db" if file is None else "journal.db")
    if isinstance(tables.get("shard"), str):
        tables["shard"] = Posted(tables["shard"], environ.get("POD_NAME") or socket.gethostname())
    _settle(tables, root, (), sources)
    try:
        settings = Settings.model_validate(tables, context={} if folder.whole and not unread else {"tenants": "some"})
    except ValidationError as error:
        problems += lines(error, root, sources)
    # Raised out here: pydantic's error holds what it was given, and would travel along as the context.
    if problems:
        raise ConfigError(problems, mend=_which(file) if file else "")
    return settings.own()


def _folder(tables: Tables, sources: Sources, problems: list[str]) -> Folder:
    """Put the tenants that are files into `tables`, and a line for each one that can't be into `problems`."""
    if TENANTS_DIR not in tables:
        return Folder()
    named, tenants = tables[TENANTS_DIR], tables.setdefault(TENANTS, {})
    if not isinstance(named, str) or path_fault(named) or not isinstance(tenants, dict):
        return Folder(whole=False)
    start = sources.start((TENANTS_DIR,))
    try:
        folder = read_folder(start / named, start)
    except OSError as error:
        # Without the path itself: a secret may have been pasted there.
        said = f"no folder that can be read ({error.strerror or type(error).__name__}); a relative path starts from "
        problems.append(f"{sources.located((TENANTS_DIR,))}: {said}{printable(str(start))}")
        return Folder(whole=False)
    problems += folder.problems
    twice = tenants.keys() & folder.documents.keys()
    for name, document in folder.documents.items():
        if name in twice:
            first = sources.located((TENANTS, name))
            problems.append(f"{document.called}: the tenant is there already, as {first}; keep one of the two")
        else:
            tenants[name] = folder.tables[name] or {}
    return folder.without(twice)


def _read(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Return the file that was read, absolute, and its text; None and no text where there is none to read."""
    named = path or (Path(environ["COLLECTOR_CONFIG"]) if environ.get("COLLECTOR_CONFIG") else None)
    file = Path(os.path.abspath(named or DEFAULT_FILE))  # noqa: PTH100 - resolve() would leave a mounted folder's links
    line = 0
    try:
        return file, file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        if named is None:
            return None, ""
        problem = f"can't be read ({error.strerror})"
    except OSError as error:
        problem = f"can't be read ({error.strerror or type(error).__name__})"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = "not UTF-8 text"
    raise ConfigError([f"{located(printable(str(file)), line)}: {problem}"])


def _parsed(file: Path, text: str) -> Tables:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = not_toml(printable(str(file)), text, str(error))
    except (ValueError, RecursionError):
        problem = f"{printable(str(file))}: {TOO_MUCH}"
    named = "" if problem.startswith(printable(str(file))) else f"{_which(file)}; "
    raise ConfigError([problem], mend=f"{named}{_REST}")


def _which(file: Path) -> str:
    return f"the file that was read: {printable(str(file))}"


def _settle(tables: Tables, node: Node, above: Place, sources: Sources) -> None:
    """Give each path its start and each secret its key, which only the reader knows; what is wrong stays as it is."""
    for key, value in tables.items():
        child = below(node, key)
        if isinstance(value, dict) and isinstance(child, Table | Named | Kinds):
            _settle(value, child, (*above, key), sources)
        elif isinstance(value, str) and isinstance(child, Leaf) and child.type in (Path, Secret):
            place = (*above, key)
            tables[key] = _settled(value, child, sources.label(place), sources.start(place))


def _settled(value: str, leaf: Leaf, label: str, start: Path) -> str | Located | Secret:
    if leaf.type is Path and not path_fault(value):
        return Secret(label, file=start / value) if leaf.secret_file else Located(label, start / value)
    if leaf.type is Secret and not secret_fault(value):
        return Secret(label, inline=value)
    return value
