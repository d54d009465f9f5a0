"""Every fault in words, for who looks for one. Is not the faults: it reads what they say of themselves."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from collector.simulator.faults import KINDS
from collector.simulator.sign_in.refusals import REFUSALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A fault: what it does, each parameter with its default (JSON, empty where one must be given), what it strikes.

    `others`: the subjects that it can be set for beside those.
    """

    name: str
    does: str
    parameters: dict[str, str]
    strikes: tuple[str, ...]
    others: tuple[str, ...]


def entries() -> Iterator[Entry]:
    """Yield every fault that can be set, by name."""
    for name, kind in sorted(KINDS.items()):
        strikes = tuple(subject for subject in kind.usual if subject in kind.subjects)
        yield Entry(
            name=name,
            does=" ".join((inspect.getdoc(kind) or "").replace("`", "").split()),
            parameters={one.name: _default(one) for one in fields(kind) if one.init},
            strikes=strikes,
            others=tuple(subject for subject in kind.subjects if subject not in strikes),
        )


def codes() -> dict[int, str]:
    """Return the AADSTS codes that have words of their own."""
    return {code: known.text for code, known in sorted(REFUSALS.items())}


def _default(parameter: Field[Any]) -> str:
    return "" if parameter.default is MISSING else json.dumps(parameter.default, separators=(",", ":"))
