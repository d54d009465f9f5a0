"""From a file and the environment to settings, or to every problem at once. Reads no secret: each is read when used."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from collector.errors import ConfigError
from collector.settings.ecosystem import ecosystem
from collector.settings.keys import Kinds, Leaf, Named, Node, Place, Table, below, tree, within
from collector.settings.models import Settings
from collector.settings.overlay import Tables, overlay
from collector.settings.positions import positions
from collector.settings.problems import label_of, lines, located, not_toml, printable
from collector.settings.secret import Located, Secret, path_fault, secret_fault

DEFAULT_FILE = Path("/etc/exposure-collector/collector.toml")
"""Read where neither --config nor $COLLECTOR_CONFIG names another, if it is there."""

_START = (
    f"no settings at all: name a file with --config or COLLECTOR_CONFIG, write {DEFAULT_FILE}, or set the variables "
    "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; to look around first: exposure-collector demo"
)

_REST = "what else stands in it was not looked at yet"


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `path`, else of $COLLECTOR_CONFIG, else of `DEFAULT_FILE`, else of the variables alone.

    Every path in them is absolute: one from the file starts from the file's folder, one from a variable from the
    working folder. Raise ConfigError with a line for each problem of file and variables together.
    """
    file, text = _read(path, environ)
    tables, variables, problems = ecosystem(environ) if file is None else (_parsed(file, text), {}, [])
    root = tree(Settings)
    overlaid, wrong = overlay(tables, root, environ)
    problems += wrong
    if file is None and not tables and not problems:
        raise ConfigError([_START])
    variables = {place: name for place, name in variables.items() if not within(place, overlaid)} | overlaid
    journal = tables.setdefault("journal", {})
    if isinstance(journal, dict):
        journal.setdefault("path", "exposure.db" if file is None else "journal.db")
    folder = Path.cwd() if file is None else file.parent
    _settle(tables, root, (), folder, variables)
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        problems += lines(error, root, variables, positions(text))
    # Raised out here: pydantic's error holds what it was given, and would travel along as the context.
    if problems:
        raise ConfigError(problems, mend=_which(file) if file else "")
    return settings


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
        problem = (
            f"{printable(str(file))}: not TOML that can be read: a number of thousands of digits, or tables too deep "
            "in one another"
        )
    named = "" if problem.startswith(printable(str(file))) else f"{_which(file)}; "
    raise ConfigError([problem], mend=f"{named}{_REST}")


def _which(file: Path) -> str:
    return f"the file that was read: {printable(str(file))}"


def _settle(tables: Tables, node: Node, above: Place, folder: Path, variables: Mapping[Place, str]) -> None:
    """Give each path its start and each secret its key, which only the reader knows; what is wrong stays as it is."""
    for key, value in tables.items():
        place, child = (*above, key), below(node, key)
        if isinstance(value, dict) and isinstance(child, Table | Named | Kinds):
            _settle(value, child, place, folder, variables)
        elif isinstance(value, str) and isinstance(child, Leaf):
            start = Path.cwd() if within(place, variables) else folder
            tables[key] = _settled(value, child, label_of(place, variables), start)


def _settled(value: str, leaf: Leaf, label: str, start: Path) -> str | Located | Secret:
    if leaf.type is Path and not path_fault(value):
        return Secret(label, file=start / value) if leaf.secret_file else Located(label, start / value)
    if leaf.type is Secret and not secret_fault(value):
        return Secret(label, inline=value)
    return value
