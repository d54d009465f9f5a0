"""Points for the tests of the journal, looks into its file, and the other processes that use it."""

import codecs
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from collector.batch import Cursor, Filter
from collector.errors import JournalError
from collector.journal import Journal, RoleLock, in_charge
from collector.point import Point, Series, Value

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 1_699_920_000_000
"""A midnight UTC, in ms."""

_SPAWN = multiprocessing.get_context("spawn")


def org(time: int = MIDNIGHT, value: float = 41.5, tenant: str = "contoso") -> Point:
    """Return an organization's point."""
    fields: Mapping[str, Value] = {"score": value, "api_time": time * 1_000_000 + 700}
    return Point(Series("exposure_score", (("tenant", tenant),)), time, fields)


def group(name: str, time: int = MIDNIGHT, value: float = 33.25, tenant: str = "contoso") -> Point:
    """Return a group's point."""
    tags = (("tenant", tenant), ("rbacGroupName", name), ("rbacGroupId", "7"))
    return Point(Series("exposure_score_by_group", tags), time, {"score": value})


def every(journal: Journal, wanted: Filter | None = None, since: int = 1) -> list[Point]:
    """Return all points from a row on, read as a consumer does."""
    found: list[Point] = []
    cursor = Cursor("every", since, 0)
    while True:
        batch = journal.read(cursor, 1000, wanted or Filter())
        if batch.after == cursor.next:
            return found
        found += [row.point for row in batch.rows]
        cursor = Cursor("every", batch.after, 0)


def look(path: Path, statement: str, *values: object) -> list[Any]:
    """Run a statement on the file, beside whoever has it open."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def steps(journal: Journal) -> list[None]:
    """Return a list that grows by one for every 100 instructions that SQLite runs for this journal."""
    taken: list[None] = []
    journal._database._connection.set_progress_handler(lambda: taken.append(None), 100)
    return taken


def descriptors(path: Path) -> list[Path]:
    """Return this process's descriptors of a file, by whatever name, or of files in a folder."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        # Others may come and go: threads of earlier tests end.
        with suppress(FileNotFoundError):
            if descriptor.readlink().is_relative_to(path) or (path.exists() and descriptor.samefile(path)):
                found.append(descriptor)
    return found


def flip(path: Path, at: int, bit: int = 0) -> None:
    """Flip one bit of a file that nobody has open."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def place(path: Path, row: int) -> int:
    """Return where in the file the values of a row begin. Before them stand 6 bytes of its time."""
    content, ((data, moment),) = path.read_bytes(), look(path, "SELECT data, time FROM point WHERE id = ?", row)
    at = content.index(data)
    assert content[at - 6 : at] == moment.to_bytes(6, "big")
    return at


@contextmanager
def other(target: Callable[..., None], *args: object) -> Iterator[tuple[SpawnProcess, Connection]]:
    """Run `target(pipe, *args)` in a process of its own, with this side's end of the pipe; it is gone afterwards."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(there, *args))
    process.start()
    there.close()
    try:
        yield process, here
        process.join(30)
    finally:
        process.kill()
        process.join()
        here.close()


def hear(pipe: Connection) -> Any:
    """Return what the other process says next; fail when it says nothing."""
    assert pipe.poll(30), "the other process is silent"
    return pipe.recv()


# What other processes do. Each gets its end of the pipe first.


def append_numbered(pipe: Connection, path: Path, tenant: str, appends: int) -> None:
    """Append polls of five points whose value is the number of the append; say each number once it is safe."""
    with Journal(path) as journal:
        pipe.send("open")
        pipe.recv()
        for n in range(appends):
            journal.append([group(f"g{g}", MIDNIGHT + n * HOUR, float(n), tenant) for g in range(5)])
            pipe.send(n)


def stop_in_the_middle(pipe: Connection, path: Path, pages: int) -> None:
    """Append a point, then stand still in a transaction of which all but the last `pages` are in the file."""
    journal = Journal(path)
    journal.append([org(value=1.0)])
    with journal._database.writing() as connection:
        connection.execute(f"PRAGMA cache_size = {pages}")
        connection.execute("DELETE FROM point")
        rows = [(n, 1, n, 1, b"half") for n in range(2, 3000)]
        connection.executemany("INSERT INTO point (id, series, time, shape, data) VALUES (?, ?, ?, ?, ?)", rows)
        pipe.send("in the middle")
        time.sleep(60)


def open_each(pipe: Connection, paths: Sequence[Path]) -> None:
    """Open one new journal after the other when told to, and append a point to each; say what failed."""
    for path in paths:
        pipe.recv()
        try:
            with Journal(path) as journal:
                journal.append([group(f"of {os.getpid()}")])
            pipe.send("")
        except JournalError as error:
            pipe.send(str(error))


def hold_role(pipe: Connection, path: Path) -> None:
    """Hold the role until told to go; say the pid."""
    with RoleLock(path):
        pipe.send(os.getpid())
        pipe.recv()


def hold_role_and_fork(pipe: Connection, path: Path) -> None:
    """Hold the role and fork a child that goes past the end of the block, says its pid and lives on."""
    with RoleLock(path) as role:
        if os.fork() == 0:
            role.__exit__(None, None, None)
            pipe.send(os.getpid())
            time.sleep(60)
            os._exit(0)
        time.sleep(60)


def read_without_rights(pipe: Connection, path: Path) -> None:
    """As a user who may write neither the file nor its folder: say what reading and what writing gives."""
    path.as_uri()  # whatever that imports, it can't once the interpreter's folder is closed to this user
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with Journal(path, readonly=True) as journal:
        pipe.send([point.fields["score"] for point in every(journal)])
    try:
        Journal(path).close()
        pipe.send(("opened", ""))
    except JournalError as error:
        pipe.send((str(error), error.mend))


def take_charge(pipe: Connection, path: Path) -> None:
    """As the user whose the journal is, and who is not root: say what came of taking charge of it."""
    _become_owner(path)
    try:
        with in_charge(path):
            pipe.send(("in charge", ""))
    except JournalError as error:
        pipe.send((str(error), error.mend))


def open_own(pipe: Connection, path: Path) -> None:
    """As the user whose the folder is, and who is not root: say what came of opening the journal in it."""
    _become_owner(path.parent)
    try:
        with Journal(path):
            pipe.send(("open", ""))
    except JournalError as error:
        pipe.send((str(error), error.mend))


def _become_owner(path: Path) -> None:
    path.as_uri()
    codecs.lookup("ascii")  # as above: it is imported at its first use
    if os.geteuid() == 0:
        os.setgid(path.stat().st_gid)
        os.setuid(path.stat().st_uid)
