"""How damage is logged: a line for each cause, however many things it struck, and each thing by itself at debug."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from collector.log import logger

_log = logger()


@dataclass(frozen=True, slots=True)
class Harm:
    """A thing that is damaged. `what`: "row 5", "series 3" or "shape 1"; `how`: in words; `where`: the row's key."""

    what: str
    how: str
    where: Mapping[str, object]


def log(news: Sequence[Harm]) -> None:
    """Log `journal.damaged` once for all that was damaged in the same way."""
    causes: dict[str, list[Harm]] = {}
    for harm in news:
        causes.setdefault(harm.how, []).append(harm)
    for how, struck in causes.items():
        if len(struck) == 1:
            _log.error("journal.damaged", what=struck[0].what, how=how, **struck[0].where)
            continue
        _log.error("journal.damaged", what=united(harm.what for harm in struck), count=len(struck), how=how)
        for harm in struck:
            _log.debug("journal.damaged_one", what=harm.what, how=how, **harm.where)


def united(things: Iterable[str]) -> str:
    """Return damaged things in one text, those of a kind by their numbers: `row 2, row 3` as `rows 2-3`."""
    kinds: dict[str, list[int]] = {}
    others = []
    for what in things:
        kind, _, number = what.partition(" ")
        # A flipped bit makes NULL or bytes of a number, and what SQLite says of a page has none.
        if number.isdecimal():
            kinds.setdefault(kind, []).append(int(number))
        else:
            others.append(what)
    named = [f"{_named(kind, len(numbers))} {_ranges(numbers)}" for kind, numbers in kinds.items()]
    return "; ".join([*named, *others])


def _named(kind: str, count: int) -> str:
    return kind if count == 1 or kind == "series" else f"{kind}s"


def _ranges(numbers: Iterable[int]) -> str:
    # What lies in one range has the same distance from its place in the order.
    runs = groupby(enumerate(sorted(numbers)), key=lambda each: each[1] - each[0])
    found = [[number for _, number in run] for _, run in runs]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)
