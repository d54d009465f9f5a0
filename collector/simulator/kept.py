"""What a person added to a simulator's settings, kept when it starts again. Is not a writer of TOML: whole lines move.

The simulator's own lines are those of `OWN` in the sections of its tenants, and the first: they are as it has them now.
Everything else stays as it stands, and what can't stay is refused instead of dropped.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from collector.errors import ConfigError

MARK = "# A Defender tenant that is simulated"
"""How the settings begin: whatever else has their name is somebody's own."""
OWN = ("tenant_id", "client_id", "api_url", "login_url", "scope", "ca_file", "credential")
"""The keys of a tenant that are the simulator's."""

_HEADER = re.compile(r"\s*\[")
_TENANT = re.compile(r"\s*\[\s*tenants\s*\.\s*\"?([^\s\".\]]+)\"?\s*\]\s*(?:#.*)?")
# A managed identity's own id stands in a comment.
_KEY = re.compile(rf"\s*(?:({'|'.join(OWN)})|#\s*(client_id))\s*=")


def merged(path: Path, fresh: str) -> str:
    """Return `fresh`, the simulator's settings of now, with all that was added to those of an earlier one in `path`.

    Raise ConfigError for a file that is no simulator's, and for what can't be brought together; OSError as it comes.
    """
    try:
        old = path.read_bytes().decode()
        if not any(line.startswith(MARK) for line in old.splitlines()):
            raise ConfigError([f"folder: {path} is there, and is not a simulator's"], mend="name another folder")
        before = tomllib.loads(old)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            [f"folder: {path} can't be read, so what was added to it can't be kept: {error}"],
            mend="mend or delete that file, or name another folder",
        ) from error
    wanted = tomllib.loads(fresh)["tenants"]
    tenants = before.get("tenants", {})
    told = isinstance(tenants, dict) and all(isinstance(its, dict) for its in tenants.values())
    gone = _gone(path, tenants, wanted) if told else frozenset()
    text = "\n".join(_lines(old, fresh, gone)) + "\n"
    if not told or not _whole(text, before, wanted, gone):
        raise ConfigError(
            [f"folder: {path}: what was added to it can't be told from the simulator's own lines"],
            mend=f"write {', '.join(OWN)} of each tenant on one line each under its [tenants.NAME], or name another"
            " folder",
        )
    return text


def _gone(path: Path, tenants: Mapping[str, Any], wanted: Mapping[str, Any]) -> frozenset[str]:
    """Return the tenants of an earlier simulator that this one doesn't have."""
    ca = next(iter(wanted.values()))["ca_file"]
    gone = {name for name, its in tenants.items() if name not in wanted and its.get("ca_file") == ca}
    for name in sorted(gone):
        added = [key for key in tenants[name] if key not in OWN]
        if added:
            raise ConfigError(
                [f"folder: {path}: [tenants.{name}] has {', '.join(added)}, and is not simulated this time"],
                mend="take that section out, start with as many --tenants as before, or name another folder",
            )
    return frozenset(gone)


def _lines(old: str, fresh: str, gone: frozenset[str]) -> Iterator[str]:
    """Yield the old lines with the simulator's own as they are now, and the sections of tenants that are new."""
    (_, (head, *_)), *sections = _parts(fresh)
    own = {name: {key: line for line in lines if (key := _own(line))} for name, lines in sections}
    for name, lines in _parts(old):
        if name in gone:
            yield from (line for line in lines[1:] if line.strip() and not _own(line))
        elif name in own:
            yield from _renewed(lines, own.pop(name))
        else:
            yield from (head if line.startswith(MARK) else line for line in lines)
    for name, its in own.items():
        yield from ("", f"[tenants.{name}]", *its.values())


def _parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each section's lines from its header on, and the tenant's name where it has one; the file's head first."""
    name, lines = "", list[str]()
    for line in text.rstrip().split("\n"):
        if _HEADER.match(line):
            yield name, lines
            found = _TENANT.fullmatch(line)
            name, lines = found[1] if found else "", []
        lines.append(line)
    yield name, lines


def _own(line: str) -> str:
    """Return the key of a line that is the simulator's in a tenant's section, nothing for any other."""
    key = _KEY.match(line)
    return key[1] or key[2] if key else ""


def _renewed(lines: Sequence[str], own: dict[str, str]) -> Iterator[str]:
    """Yield a tenant's section with the simulator's own lines as they are now, also those that a person took out."""
    header, *others = lines
    yield header
    there = {_own(line) for line in others}
    yield from (line for key, line in own.items() if key not in there)
    for line in others:
        key = _own(line)
        if not key:
            yield line
        elif key in own:
            # Where it stands a second time, as a comment, once is enough.
            yield own.pop(key)


def _whole(text: str, before: Mapping[str, Any], wanted: Mapping[str, Any], gone: frozenset[str]) -> bool:
    """Whether these settings say what was there before, and of the simulator's tenants what is so now."""
    tenants = {name: its for name, its in before.get("tenants", {}).items() if name not in gone}
    for name, its in wanted.items():
        added = {key: value for key, value in tenants.get(name, {}).items() if key not in OWN}
        tenants[name] = {**added, **its}
    try:
        return tomllib.loads(text) == {**before, "tenants": tenants}
    except tomllib.TOMLDecodeError:
        return False
