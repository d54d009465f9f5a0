"""The simulator's faults on the command line: written, and listed. Is not the faults."""

import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.simulator import Faults

_FALLBACK = (80, 24)
_WIDEST = 100


def set_fault(faults: "Faults", text: str) -> None:
    """Set what `text` says: NAME, NAME,parameter=value,… or an object in JSON. Raise ConfigError for a slip."""
    try:
        wanted = json.loads(text) if text.lstrip().startswith("{") else dict(_pairs(text))
    except (ValueError, RecursionError) as error:
        raise ConfigError([f"--fault: not JSON: {error}"]) from error
    name = wanted.pop("fault", "")
    if not isinstance(name, str):
        raise ConfigError(['--fault: the name of a fault is a text, as in {"fault": "throttle"}'])
    try:
        faults.set(name, **wanted)
    except ConfigError as error:
        raise ConfigError(
            [f"--fault: {problem}" for problem in error.problems],
            mend="simulate --list-faults shows every fault with its parameters",
        ) from error


def print_faults() -> None:
    """Print each fault: what it does, what it strikes, and how it is written."""
    from collector.simulator.catalogue import codes, entries

    width = min(shutil.get_terminal_size(_FALLBACK).columns, _WIDEST)
    wrap = textwrap.TextWrapper(width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    for entry in entries():
        written = [f"{name}={default or '…'}" for name, default in entry.parameters.items()]
        strikes = f"Strikes {', '.join(entry.strikes)}" + (
            f"; with subject= also {', '.join(entry.others)}." if entry.others else "."
        )
        print(f"--fault {shlex.quote(','.join([entry.name, *written])) if written else entry.name}")
        print("\n".join([*wrap.wrap(entry.does), *wrap.wrap(strikes)]), end="\n\n")
    print("\n".join([*wrap.wrap(_EACH), "", *_SEVERAL, "", "  Codes of sign_in_error, beside any other:"]))
    for code, words in codes().items():
        print(textwrap.fill(words, width, initial_indent=f"    {code:>7}  ", subsequent_indent=" " * 13))


_EACH = (
    "What is shown after a parameter is what it is without being named; … must be given. Each also takes tenant=NAME, "
    "subject=NAME, times=N (how many requests it strikes) and after=N (how many it spares before)."
)

_SEVERAL = (
    "  Several faults at once, each with its own option:",
    "    --fault other_cloud --fault sign_in_error,code=90002",
)


def _pairs(text: str) -> Iterator[tuple[str, Any]]:
    # A value may hold commas: a parameter begins where a name and an equals sign follow one.
    name, *parameters = re.split(r",(?=[a-z_]+=)", text)
    yield "fault", name
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        yield key, _value(value)


def _value(text: str) -> object:
    """Return what JSON makes of it; what isn't JSON is a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
