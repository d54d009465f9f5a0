"""Findings for people and for `--json`. Is not the doctor: what is well was decided before.

On a terminal lines are wrapped and coloured; elsewhere a finding is one line and its mend another, for grep.
"""

import re
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from collector.cli.options import pasted

if TYPE_CHECKING:
    from collector.check import Finding

MANY = 10
"""With more tenants than that, those that are well are counted, and what several have alike is said once."""
_NAMED = 3
"""Tenants that a line names which speaks of several."""
_TRACE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""An id by which Microsoft finds one request: it makes no difference between two faults."""
_WIDEST = 110
_COLOURS = {"good": "green", "warn": "yellow", "BAD": "red"}
_THE_SAME = "as above"
_INDENT = " " * 6

_Line = tuple[str, str, str]
"""A label, what was found, and the mend, which may be empty."""


def document(findings: "Sequence[Finding]") -> dict[str, object]:
    """Return the document of `--json`: every finding, however many."""
    checks = [
        {"name": finding.name, "ok": finding.ok, "message": finding.message, "mend": finding.mend}
        for finding in findings
    ]
    return {"ok": all(finding.ok for finding in findings), "checks": checks}


def show(findings: "Sequence[Finding]", *, verbose: bool) -> None:
    """Print the findings to stdout, all of them where `verbose` or where the tenants are few."""
    tenants = {finding.tenant for finding in findings} - {None}
    lines = [_line(finding) for finding in findings] if verbose or len(tenants) <= MANY else _summed(findings)
    lines = _without_repetition(lines)
    if sys.stdout.isatty():
        _print_wrapped(lines)
        return
    for label, found, mend in lines:
        print(f"{label:4}  {found}")
        if mend:
            print(f"{_INDENT}mend: {pasted(mend)}")


def named(findings: "Sequence[Finding]") -> str:
    """Return the names of findings, the first of them where they are many."""
    names = [finding.name for finding in findings]
    more = f", and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"{', '.join(names[:MANY])}{more}"


def _without_repetition(lines: Sequence[_Line]) -> list[_Line]:
    """Return the lines, a mend that stands right above it said as that."""
    mends = ["", *(mend for _, _, mend in lines)]
    return [
        (label, found, _THE_SAME if mend and mend == above else mend)
        for (label, found, mend), above in zip(lines, mends, strict=False)
    ]


def _line(finding: "Finding") -> _Line:
    return _label(finding), f"{finding.name}: {finding.message}", finding.mend


def _label(finding: "Finding") -> str:
    if not finding.ok:
        return "BAD"
    return "warn" if finding.mend else "good"


def _summed(findings: "Sequence[Finding]") -> list[_Line]:
    """Return a line for all tenants that are well, one a fault that they have alike, and the rest as they are."""
    lines: list[_Line] = []
    for of_tenants, some in groupby(findings, key=lambda finding: finding.tenant is not None):
        part = list(some)
        lines += _of_tenants(part) if of_tenants else [_line(finding) for finding in part]
    return lines


def _of_tenants(findings: "Sequence[Finding]") -> list[_Line]:
    tenants = dict.fromkeys(finding.tenant for finding in findings)
    faults: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if _label(finding) != "good":
            what = finding.name.removeprefix(f"{finding.tenant}: ")
            alike = _TRACE.sub("", finding.message)
            faults.setdefault((_label(finding), what, alike), []).append(finding)
    ill = {finding.tenant for some in faults.values() for finding in some}
    well = len(tenants) - len(ill)
    lines = [("good", f"{well:,} tenants: all is well (--verbose shows each)", "")] if well else []
    for (label, what, _), some in faults.items():
        names = [str(finding.tenant) for finding in some]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        lines.append((label, f"{', '.join(names[:_NAMED])}{more}: {what}: {some[0].message}", some[0].mend))
    return lines


def _print_wrapped(lines: Sequence[_Line]) -> None:
    from rich.table import Table
    from rich.text import Text

    from collector.cli.terminal import console

    screen = console()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=4)
    table.add_column(overflow="fold")
    for label, found, mend in lines:
        table.add_row(Text(label, _COLOURS[label]), Text(found))
        if mend:
            table.add_row("", Text(f"mend: {pasted(mend)}"))
    screen.print(table, width=min(screen.width, _WIDEST))
