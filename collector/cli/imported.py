"""What `import` says of a file: what is in it, what became of it, and what is wrong, by line. Imports nothing."""

import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from collector.cli.progress import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.history.sheet import Wrong
    from collector.service import Change, Intake
    from collector.settings import Settings

SHOWN = 20
"""Mistakes that are told by their line; the others are counted."""
_NAMED = 10
"""Names on one line."""
_NAME = 60
"""Columns of each."""
_DAY = 86_400_000


@dataclass
class Found:
    """What the first look at a file has found; times are ms since the epoch."""

    points: int = 0
    wrong: int = 0
    errors: "list[Wrong]" = field(default_factory=list)
    tenants: set[str] = field(default_factory=set)
    groups: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The device groups that it has scores of, by tenant."""
    new_tenants: "Sequence[str]" = ()
    """Those of which the journal had nothing before."""
    new_groups: "dict[str, Sequence[str]]" = field(default_factory=dict)
    """The same of device groups, by tenant."""
    oldest: int | None = None
    newest: int = 0
    passed: set[str] = field(default_factory=set)
    """The tenants in the file that were not asked for."""


def show_json(file: str, found: Found, intake: "Intake", *, done: bool) -> None:
    """Print one JSON document."""
    from collector.point import rfc3339

    document = {
        "file": file,
        "points": found.points,
        "new": intake.new,
        "changed": intake.changed,
        "same": intake.same,
        "doubled": intake.doubled,
        "wrong": found.wrong,
        "errors": [{"line": each.line, "message": each.text} for each in found.errors],
        "tenants": sorted(found.tenants),
        "new_tenants": list(found.new_tenants),
        "new_groups": [
            {"tenant": tenant, "rbacGroupName": name}
            for tenant in sorted(found.new_groups)
            for name in found.new_groups[tenant]
        ],
        "oldest": None if found.oldest is None else rfc3339(found.oldest),
        "newest": None if found.oldest is None else rfc3339(found.newest),
        "imported": done,
        "ok": not found.wrong and bool(found.points),
    }
    print(json.dumps(document))


def show(file: str, found: Found, intake: "Intake", *, done: bool) -> None:
    """Print what is new, and what changed from what to what."""
    from collector.point import rfc3339

    if not intake.points or found.oldest is None:
        return
    kinds = f"{intake.new:,} new, {intake.changed:,} changed, {intake.same:,} there already"
    if intake.doubled:
        kinds += f", {intake.doubled:,} replaced by a later line of the file"
    span = f"{rfc3339(found.oldest)} to {rfc3339(found.newest)}"
    print(f"{file}: {counted(found.points, 'point')} of {', '.join(sorted(found.tenants))}, {span}")
    print(f"  {kinds}" if done else f"  would be: {kinds}; nothing was imported")
    for line in _strangers(found):
        print(f"  {line}")
    for change in intake.changes:
        print(f"  {'changed' if done else 'would change'}: {_told(change)}")
    if intake.changed > len(intake.changes):
        print(f"  and {intake.changed - len(intake.changes):,} more")


def _strangers(found: Found) -> "Iterator[str]":
    """Yield who is new to the journal: a name that was mistyped is seen here, or never."""
    if found.new_tenants:
        yield f"new to the journal: {_listed('tenant', found.new_tenants)}"
    several = len(found.tenants) > 1
    new = [(tenant, names) for tenant, names in sorted(found.new_groups.items()) if names]
    for tenant, names in new[:_NAMED]:
        yield f"new to the journal: {_listed('device group', names)}{f', of {tenant}' if several else ''}"
    if len(new) > _NAMED:
        yield f"new to the journal: device groups of {len(new) - _NAMED:,} more tenants"


def _listed(what: str, names: "Sequence[str]") -> str:
    """Return how many there are of it, and the first of their names."""
    from collector.cli.terminal import fitted

    shown = ", ".join(fitted(name, _NAME) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{counted(len(names), what)}: {shown}{f', and {more:,} more' if more > 0 else ''}"


def _told(change: "Change") -> str:
    """Return a change in words: the series, the time, and each field that differs."""
    from collector.point import rfc3339

    point = change.point
    tags = ", ".join(value for _, value in point.series.tags)
    fields = point.fields
    moved = [
        f"{name} {change.before.get(name, '(none)')!r} to {fields.get(name, '(none)')!r}"
        for name in dict.fromkeys([*change.before, *fields])
        if name not in fields or name not in change.before or repr(fields[name]) != repr(change.before[name])
    ]
    return f"{point.series.measurement} of {tags} at {rfc3339(point.time)}: {', '.join(moved)}"


def warn(settings: "Settings", found: Found) -> None:
    """Say what a person may not have meant."""
    strangers = sorted(found.tenants - set(settings.tenants))
    if strangers:
        print(
            f"warning: not in the settings, and kept as history: {', '.join(strangers)}"
            " (`import --tenant T` takes one tenant alone, `forget --tenant T` takes one out)",
            file=sys.stderr,
        )
    days = settings.journal.keep_days
    if days and found.oldest is not None and found.oldest < time.time() * 1000 - days * _DAY:
        print(
            f"warning: some of it is older than journal.keep_days = {days}: the service deletes that from the journal"
            " once every sink has it",
            file=sys.stderr,
        )


def fail(file: str, found: Found, *, done: bool, partial: bool, tenant: str | None) -> None:
    """Say what is wrong in the file, and end with 1, if anything is."""
    if found.wrong:
        for each in found.errors:
            print(f"error: {file}: line {each.line}: {each.text}", file=sys.stderr)
        more = found.wrong - len(found.errors)
        if more:
            print(f"error: {file}: and {counted(more, 'mistake')} more", file=sys.stderr)
        if partial:
            end = f"{counted(found.points, 'point')} without a mistake {'are' if done else 'would be'} imported"
        else:
            end = "nothing was imported (--partial takes what is right)"
        print(f"error: {file}: {counted(found.wrong, 'mistake')}; {end}", file=sys.stderr)
        raise typer.Exit(1)
    if not found.points:
        which = (
            f"no point of {tenant} is in it; it has {', '.join(sorted(found.passed))}"
            if found.passed
            else "no point is in it"
        )
        print(f"error: {file}: {which}", file=sys.stderr)
        raise typer.Exit(1)
