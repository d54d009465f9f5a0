"""What the process does whose power is cut: all that promises to be durable, each thing with a mark behind it.

And how what is left is opened after the cut, and what is found in it.
"""

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from journals import DAY, HOUR, MIDNIGHT, group, org
from power_cuts import Folder, say

from collector.batch import Cursor, DeadLetter
from collector.defender.sign_in.cache import CacheFile
from collector.journal import Journal, backup, in_charge
from collector.journal.database import Database
from collector.journal.syncing import sync

JOURNAL, COPY, CACHE = "journal.db", "copy.db", "cache.json"
_FIRST = Cursor("", 1, 0)


def facts(folder: Path) -> dict[str, str]:
    """Return what a reader finds in the folder, by file; empty for one that is not there."""
    cache = folder / CACHE
    return {
        **{name: _facts(folder / name) for name in (JOURNAL, COPY)},
        CACHE: cache.read_text() if cache.exists() else "",
    }


def _facts(path: Path) -> str:
    if not path.exists():
        return ""
    with Journal(path, readonly=True) as journal:
        rows = journal.read(_FIRST, 100_000).rows
        letters = [(letter.id, letter.sink, letter.row) for letter in journal.letters.every(["main"])]
        held = repr((journal.tail(), rows, sorted(journal.cursors(), key=str), letters))
    return f"{len(rows)} rows {sha256(held.encode()).hexdigest()[:16]}"


def work(folder: Path, fault: str = "") -> None:
    """Make a journal and do everything with it that writes, under a `fault` of the process."""
    _plant(fault)
    with Journal(folder / JOURNAL, clock=lambda: MIDNIGHT / 1000) as journal:
        _mark(folder, "open")
        for did, act in _acts(journal, folder):
            act()
            _mark(folder, did)


def _acts(journal: Journal, folder: Path) -> list[tuple[str, Callable[[], object]]]:
    cache = CacheFile("cache_file", folder / CACHE, "sign in")
    return [
        ("append", lambda: journal.append([org(MIDNIGHT + n * HOUR) for n in range(5)])),
        ("supersede", lambda: journal.append([org(value=7.0), group("new")])),
        ("consumer", lambda: journal.cursor("main")),
        ("refuse", lambda: _refuse(journal)),
        ("spill", lambda: _spill(journal)),
        ("derive", lambda: journal.append([group("derived")], taken=(journal.cursor("main"), journal.tail()))),
        ("resend", lambda: journal.letters.resend(["main"], 0, journal.letters.last(), 9)),
        ("replay", lambda: journal.move("main", 1)),
        ("take", lambda: journal.advance(journal.cursor("main"), journal.tail())),
        ("prune", lambda: journal.prune(MIDNIGHT + 3 * HOUR, ["main"])),
        ("backup", lambda: backup(journal, folder / COPY)),
        ("untouched", lambda: _untouched(folder / COPY)),
        ("sign in", lambda: cache.write("first")),
        ("renew", lambda: cache.write("second")),
        ("last", lambda: journal.append([org(MIDNIGHT + DAY)])),
    ]


def _refuse(journal: Journal) -> None:
    cursor = journal.cursor("main")
    batch = journal.read(cursor, 100)
    journal.advance(cursor, batch.after, [DeadLetter(row, "no") for row in batch.rows[:2]])


def _spill(journal: Journal) -> None:
    """Append more than the memory for pages holds: half of it is in the file before it is committed."""
    connection = journal._database._connection
    connection.execute("PRAGMA cache_size = 4")
    journal.append([group(f"{n} {'x' * 200}", MIDNIGHT + n % 3 * HOUR) for n in range(60)])
    connection.execute("PRAGMA cache_size = 500")


def _untouched(path: Path) -> None:
    """Append to a journal that has nothing beside it yet, as who promises to change nothing by opening it."""
    with Journal(path, untouched=True) as journal:
        journal.append([org(value=8.0)])


def _mark(folder: Path, did: str) -> None:
    os.write(2, say(did=did, **facts(folder)).encode())


def _plant(fault: str) -> None:
    if fault.startswith("PRAGMA"):
        original = Database._begin

        def weaker(database: Database, begin: str) -> None:
            database._connection.execute(fault)
            original(database, begin)

        Database._begin = weaker  # type: ignore[method-assign,assignment]
    elif fault:
        sync = os.fsync
        spared = {"folder": stat.S_ISDIR, "file": stat.S_ISREG}[fault]

        def lazy(file: int) -> None:
            if not spared(os.fstat(file).st_mode):
                sync(file)

        os.fsync = lazy  # type: ignore[assignment]


def mend(folder: Path) -> None:
    """Damage a journal's first bytes, and start the service: it sets the file aside and carries all over."""
    with Journal(folder / JOURNAL) as journal:
        _mark(folder, "open")
        journal.append([org(MIDNIGHT + n * HOUR) for n in range(5)])
        _mark(folder, "append")
        journal.cursor("main")
        _mark(folder, "consumer")
        _refuse(journal)
        _mark(folder, "refuse")
    file = os.open(folder / JOURNAL, os.O_WRONLY)
    os.pwrite(file, b"\xff", 20)
    os.fsync(file)
    os.close(file)
    with in_charge(folder / JOURNAL) as journal:
        _mark(folder, "mend")
        journal.append([org(MIDNIGHT + DAY)])
        _mark(folder, "append to the new file")


def mend_half_done(folder: Path) -> None:
    """Cut a write short, damage what would undo it, and start the service: it sets both files aside."""
    path, beside = folder / JOURNAL, folder / f"{JOURNAL}-journal"
    with Journal(path) as journal:
        journal.append([group(f"{n} {'x' * 200}", MIDNIGHT + n % 3 * HOUR) for n in range(60)])
        _refuse(journal)
        before = facts(folder)
        with journal._database.trying() as connection:
            connection.execute("PRAGMA cache_size = 4")
            connection.execute("DELETE FROM point WHERE id % 2 = 0")
            connection.execute("INSERT INTO point SELECT NULL, series, time + 1, shape, data FROM point")
            main, undo = path.read_bytes(), bytearray(beside.read_bytes())
    undo[19] ^= 1
    for file, content in ((path, main), (beside, bytes(undo))):
        _put(file, content)
    sync(folder)
    os.write(2, say(did="cut short", **before, main=_short(main), undo=_short(undo)).encode())
    with in_charge(path) as journal:
        _mark(folder, "mend")
        journal.append([org(MIDNIGHT + DAY)])
        _mark(folder, "append to the new file")


def whole(folder: Folder, main: str, undo: str) -> bool:
    """Whether the damaged files stand there under names that belong together."""
    names = [name for name, content in folder.files.items() if _short(content) == main]
    return any(_short(folder.files.get(f"{name}-journal", b"")) == undo for name in names)


def _short(content: bytes | bytearray) -> str:
    return sha256(content).hexdigest()[:16]


def _put(path: Path, content: bytes) -> None:
    """Let a file have this content, durably."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.ftruncate(file, len(content))
    os.pwrite(file, content, 0)
    os.fsync(file)
    os.close(file)


def recover(folder: Path) -> None:
    """Open what is there as a process does that starts after the cut."""
    for path in (folder / JOURNAL, folder / COPY):
        if path.exists() or path.name == JOURNAL:
            Journal(path).close()


def start(folder: Path) -> None:
    """Open what is there as the service does."""
    with in_charge(folder / JOURNAL):
        pass
