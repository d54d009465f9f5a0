"""A journal whose last write was cut short: the file, and beside it what would undo that write."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from journals import every, group
from salvages import PAGE, Contents, made

from collector.journal import Journal

SECTOR, RECORD = 512, PAGE + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The files of a journal whose last write was cut short, and what it held before."""

    path: Path
    main: bytes
    undo: bytes
    before: Contents

    def put(self, undo: bytes, main: bytes | None = None) -> None:
        """Let the files be as they were left, but for this."""
        for file in self.path.parent.iterdir():
            file.unlink()
        self.path.write_bytes(self.main if main is None else main)
        self.beside.write_bytes(undo)

    @property
    def beside(self) -> Path:
        """The file of the rollback."""
        return self.path.with_name("journal.db-journal")


def stages(folder: Path) -> Iterator[Path]:
    """Yield a folder as a crash would leave it, at each moment of a large write that is taken back in the end."""
    path = folder / "journal.db"
    with Journal(path) as journal, journal._database.writing() as connection:
        connection.execute("PRAGMA cache_size = 5")  # most of it is in the file before it ends
        for number in range(12):
            connection.execute("DELETE FROM point WHERE id % 12 = ? AND id % 3 = 0", (number,))
            rows = "SELECT series, time + ?, shape, data FROM point LIMIT 60"
            connection.execute(f"INSERT INTO point (series, time, shape, data) {rows}", (number + 1,))
            left = folder.with_name(f"{folder.name} {number}")
            left.mkdir()
            for file in folder.glob("journal.db*"):
                shutil.copy(file, left)
            yield left
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")


def cut_short(tmp_path: Path) -> Cut:
    """Return the files of a journal whose large write was cut short at its last moment."""
    folder = tmp_path / "begun"
    folder.mkdir()
    before = made(folder / "journal.db")
    *_, last = stages(folder)
    path = tmp_path / "left" / "journal.db"
    path.parent.mkdir()
    main, undo = (last / "journal.db").read_bytes(), (last / "journal.db-journal").read_bytes()
    assert main != (folder / "journal.db").read_bytes()
    assert len(undo) > 10 * RECORD
    return Cut(path=path, main=main, undo=undo, before=before)


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """Return the bytes with one bit flipped."""
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def goes_on(path: Path) -> None:
    """Hold that the next poll is kept."""
    with Journal(path) as journal:
        journal.append([group("new")])
        assert every(journal)[-1] == group("new")
