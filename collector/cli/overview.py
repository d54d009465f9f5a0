"""What `status` looks like in a terminal: what is wrong first, and of thousands that are well a few and their count.

Lines of text, made without a table's library: it costs more time to import than all of this takes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from collector.cli.options import pasted
from collector.cli.progress import counted, span

if TYPE_CHECKING:
    from collector.status import DeriveStatus, PollStatus, SinkStatus, Status

_MOST = 40
"""Subjects that are shown, unless all are wanted."""
_MEGABYTE = 1_000_000
_FAILS, _LATE, _NEVER, _WELL = range(4)
_SAID = {_FAILS: "failed", _LATE: "late", _NEVER: "never polled", _WELL: "well"}


def lines(found: "Status", *, everything: bool = False) -> Iterator[str]:
    """Yield the lines. `everything`: a row for each subject, however many there are."""
    yield from _polls(found.tenants, _MOST if not everything else len(found.tenants))
    yield ""
    if found.shard.shard:
        count = f"{found.shard.tenants} of {counted(found.shard.tenants + found.shard.elsewhere, 'tenant')}"
        yield f"shard {found.shard.shard}: {count}, the others are elsewhere"
        yield ""
    if found.sinks:
        yield from _table(("sink", "waiting", "oldest", "dead letters", "state"), map(_sink, found.sinks))
    else:
        yield "no sink is named: the journal keeps the history alone"
    yield ""
    yield _derived(found.derive)
    pid = found.process.pid if found.process.pid is not None else "?"
    yield f"polled by the process {pid}" if found.process.running else pasted("no process polls it now: start `run`")
    journal = found.journal
    between = f", from {journal.oldest} to {journal.newest}" if journal.oldest else ""
    yield f"journal: {_about(journal.points, exact=journal.exact)} in {_size(journal.bytes)}{between}"
    if any(poll.ok is False for poll in found.tenants):
        yield pasted("what is wrong with a poll: `check`")
    if any(sink.error for sink in found.sinks):
        yield pasted("what is wrong with a sink, and what to do: `check`")
    if any(sink.dead_letters for sink in found.sinks):
        yield pasted("what was refused, and why: `rejected list`")


def _polls(polls: "Sequence[PollStatus]", most: int) -> Iterator[str]:
    ranked = sorted(polls, key=_rank)
    heads = ("tenant", "subject", "slot", "state", "took", "tries", "throttled")
    yield from _table(heads, map(_row, ranked[:most]))
    if len(ranked) > most:
        others = Counter(map(_rank, ranked[most:]))
        each = [f"{count:,} {_SAID[rank]}" for rank, count in sorted(others.items())]
        yield pasted(f"and {', '.join(each)} more: `status --all` shows each")
    if len({poll.tenant for poll in polls}) > 1:
        yield ""
        yield _totals(polls)


def _totals(polls: "Sequence[PollStatus]") -> str:
    ranks = Counter(map(_rank, polls))
    each = [f"{ranks[rank]:,} {_SAID[rank]}" for rank in (_WELL, _FAILS, _LATE, _NEVER) if ranks[rank]]
    throttled = sum(poll.throttled for poll in polls)
    if throttled:
        each.append(f"{sum(poll.throttled > 0 for poll in polls):,} throttled ({counted(throttled, 'time')})")
    slowest = max(polls, key=lambda poll: poll.seconds or 0.0)
    longest = f"; the longest took {_took(slowest)} ({_clean(slowest.tenant)}, {slowest.subject})"
    tenants = counted(len({poll.tenant for poll in polls}), "tenant")
    return f"{tenants}, {counted(len(polls), 'subject')}: {', '.join(each)}{longest if slowest.seconds else ''}"


def _rank(poll: "PollStatus") -> int:
    if poll.ok is None:
        return _NEVER
    if not poll.ok:
        return _FAILS
    return _LATE if poll.late else _WELL


def _row(poll: "PollStatus") -> tuple[str, ...]:
    state = {_FAILS: poll.error, _LATE: "late", _NEVER: "never polled", _WELL: "ok"}[_rank(poll)]
    throttled = str(poll.throttled)
    return _clean(poll.tenant), poll.subject, poll.slot or "-", state, _took(poll), str(poll.tries), throttled


def _took(poll: "PollStatus") -> str:
    return "-" if poll.seconds is None else f"{poll.seconds:.2f} s"


def _sink(sink: "SinkStatus") -> tuple[str, ...]:
    refused = [f"{sink.dead_letters} refused; see `rejected list`"] if sink.dead_letters else []
    begun = [] if sink.begun else ["waits for a start of `run`, which is when a new sink is taken up"]
    state = "; ".join([*begun, *([_clean(sink.error)] if sink.error else []), *_catching(sink), *refused]) or "ok"
    waiting = _figure(sink.backlog, exact=sink.exact)
    return _clean(sink.name), waiting, sink.oldest or "-", str(sink.dead_letters), state


def _catching(behind: "SinkStatus | DeriveStatus") -> list[str]:
    """Return how fast it catches up, if it does."""
    if behind.rate is None or behind.seconds_left is None:
        return []
    return [f"catching up, {behind.rate:,.0f}/s, {span(behind.seconds_left)} left"]


def _derived(derive: "DeriveStatus") -> str:
    # Without a time where all of it is damaged.
    since = f", from {derive.oldest}" if derive.oldest else ""
    waits = f"{_about(derive.backlog, exact=derive.exact)} behind{since}"
    how = [waits if derive.backlog else "up to date", *_catching(derive), *([derive.error] if derive.error else [])]
    return pasted(f"trends, spikes and days: {'; '.join(how)}")


def _about(points: int, *, exact: bool) -> str:
    return counted(points, "point") if exact else f"{_figure(points, exact=exact)} points"


def _figure(count: int, *, exact: bool) -> str:
    """Return a count; one that is not exact with the three digits that are worth saying."""
    return f"{count:,}" if exact else f"about {float(f'{count:.3g}'):,.0f}"


def _table(heads: Sequence[str], rows: "Iterator[tuple[str, ...]]") -> Iterator[str]:
    """Yield a line a row, under its heads. No cell is folded: a terminal that is too narrow does that."""
    from rich.cells import cell_len

    cells = [tuple(heads), *rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(
            f"{cell}{' ' * (width - cell_len(cell))}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _clean(text: str) -> str:
    from collector.cli.terminal import plain

    return plain(text)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= _MEGABYTE else f"{count / 1e3:.0f} kB"
