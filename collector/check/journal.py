"""The journal: whether it opens, takes a write, holds what was written, and has room; and who polls it."""

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from collector.check.finding import Finding, bad
from collector.errors import JournalError
from collector.journal import Journal, OldFormat, Proof, Summary, aside, followed, holder, permit, reachable, user
from collector.settings import Settings

_PROVING_SECONDS = 2.0
_PROVING_ROWS = 200_000
_LEAST_FREE = 100_000_000
"""Bytes: less than that, and the disk is as good as full."""
_DAY = 86_400_000
_YEAR = 365
_EMPTY = "if there was a history, bring back a backup; else delete the file, and the first poll makes it anew"
_SHOWN = 5
"""Damaged things that are named; the others are counted."""


def examine(settings: Settings) -> Sequence[Finding]:
    """Return what was found. Nothing is left behind: no file is made or brought up, and what is written taken back."""
    path = settings.journal.path
    there = _there(path)
    if there == "nothing":
        return _absent(settings)
    if there == "an empty file":
        return [Finding("journal", ok=False, message=f"{path}: an empty file: it holds no history", mend=_EMPTY)]
    try:
        with Journal(path, untouched=True) as journal:
            summary = journal.summary()
            journal.probe()
            proof = journal.prove(_PROVING_SECONDS, _PROVING_ROWS)
            letters = journal.letters.counts()
        reachable(path)
    except OldFormat as error:
        return [Finding("journal", ok=True, message=f"{error}: it will be brought up by `run`"), *_room(settings)]
    except JournalError as error:
        return [bad("journal", error), *_room(settings)]
    pid = holder(path)
    role = f"polled by the process {pid}" if pid else "no process polls it now"
    well = Finding("journal", ok=True, message=f"{path}: {summary.points} points; {role}")
    return [well, _rows(proof, summary), *_aside(path), *_room(settings, summary), *_refused(letters)]


def _there(path: Path) -> Literal["nothing", "an empty file", "something"]:
    """Return what stands there, as far as this user sees into the folder."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return "nothing"
    except OSError:
        return "something"  # a path that no file can have: to open it says why
    return "something" if found.st_size or not stat.S_ISREG(found.st_mode) else "an empty file"


def _absent(settings: Settings) -> Sequence[Finding]:
    path = settings.journal.path
    folder = followed(path).parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        try:
            reachable(path)
        except JournalError as error:
            return [bad("journal", error)]
        return [Finding("journal", ok=True, message=f"{path}: will be made by the first poll"), *_room(settings)]
    if folder.is_dir():
        why, mend = f"the user {user()} may not write to {folder}", permit(path)
    elif folder.exists():
        why, mend = f"{folder} is no folder", "set journal.path to a file in a folder"
    else:
        why, mend = f"there is no folder {folder}", f"make the folder {folder}, and let the user {user()} write to it"
    return [Finding("journal", ok=False, message=f"{path}: can't be made: {why}", mend=mend)]


def _rows(proof: Proof, summary: Summary) -> Finding:
    looked = f"all {proof.rows} rows" if proof.whole else f"the newest {proof.rows} of {summary.points} rows"
    if not proof.damaged:
        return Finding("journal: rows", ok=True, message=f"{looked} are as they were written")
    count = len(proof.damaged)
    more = f", and {count - _SHOWN} more" if count > _SHOWN else ""
    return Finding(
        "journal: rows",
        ok=False,
        message=f"damaged, in {looked}: {', '.join(proof.damaged[:_SHOWN])}{more}",
        mend="what is damaged is left out of everything, and the rest serves on; `run` sets the file aside and carries"
        " over what is sound; a backup made before has it all; and look at the disk: something on it changed",
    )


def _aside(path: Path) -> Sequence[Finding]:
    """Return a finding for the damaged files that were set aside beside the journal."""
    files = aside(path)
    if not files:
        return []
    return [
        Finding(
            "journal: set aside",
            ok=True,
            message=f"damaged, with what is sound carried over: {', '.join(file.name for file in files)}",
            mend="look at the disk; what could not be carried over a backup may have; then the file may go",
        )
    ]


def _refused(letters: Mapping[str, int]) -> Sequence[Finding]:
    """Return a finding for each sink with dead letters, also for one that is no longer in the settings."""
    return [
        Finding(
            f"sink {sink}: dead letters",
            ok=True,
            message=f"{count} {'point was' if count == 1 else 'points were'} refused for good",
            mend="see `exposure-collector rejected list`, and `exposure-collector rejected resend` when the cause is"
            " mended",
        )
        for sink, count in letters.items()
    ]


def _room(settings: Settings, summary: Summary | None = None) -> Sequence[Finding]:
    folder = followed(settings.journal.path).parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return []  # a folder that can't be looked at is said by the journal itself
    if free < _LEAST_FREE:
        message = f"{folder}: {_megabytes(free)} free"
        return [Finding("journal: room", ok=False, message=message, mend="make room on its disk")]
    year = _growth(summary)
    if year is None or free > year:
        rate = "" if year is None else f"; the journal grows by {_megabytes(year)} a year"
        return [Finding("journal: room", ok=True, message=f"{_megabytes(free)} free{rate}")]
    days = int(free / year * _YEAR)
    mend = "make room on its disk within that time, or let journal.keep_days say how long history is kept"
    message = f"{_megabytes(free)} free, and the journal grows by {_megabytes(year)} a year: full in {days} days"
    return [Finding("journal: room", ok=True, message=message, mend=mend)]


def _growth(summary: Summary | None) -> float | None:
    """Return the bytes of a year as of the time so far, None where that is less than a day."""
    if summary is None or summary.oldest is None or summary.newest is None or summary.newest - summary.oldest < _DAY:
        return None
    return summary.bytes * _YEAR * _DAY / (summary.newest - summary.oldest)


def _megabytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"  # noqa: PLR2004 - a gigabyte
