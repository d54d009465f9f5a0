"""A journal with something of everything in it, and what it holds, for the tests that destroy it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from journals import HOUR, MIDNIGHT, group, org

from collector.batch import Cursor, DeadLetter
from collector.journal import Journal, Proof, Unsound, in_charge
from collector.point import Point, Series

PAGE = 4096


def note(title: str) -> Point:
    """Return a point of texts, which may be longer than a page."""
    return Point(
        Series("exposure_annotation", (("tenant", "contoso"), ("kind", "note"))), MIDNIGHT, {"title": title, "n": 7}
    )


@dataclass(frozen=True)
class Contents:
    """Points by row, cursors by consumer, and the rows of dead letters."""

    points: Mapping[int, Point]
    cursors: Mapping[str, int]
    letters: frozenset[int]
    tail: int


def contents(journal: Journal) -> Contents:
    """Return all that a journal holds."""
    rows = journal.read(Cursor("", 1, 0), 100_000).rows
    return Contents(
        points={row.id: row.point for row in rows},
        cursors={cursor.consumer: cursor.next for cursor in journal.cursors()},
        letters=frozenset(letter.row.id for letter in journal.letters.every(["main", "second"])),
        tail=journal.tail(),
    )


def made(path: Path, polls: int = 60, groups: int = 10) -> Contents:
    """Fill a new journal: several series, superseded rows, a text over pages, two cursors, dead letters."""
    with Journal(path) as journal:
        for n in range(polls):
            moment = MIDNIGHT + n * HOUR
            journal.append([org(moment, n / 7), *(group(f"grüße {g}", moment, n + g / 7) for g in range(groups))])
        journal.append([note("ä" * 6000)])
        journal.append([org(MIDNIGHT, 99.5), group("grüße 1", MIDNIGHT, 98.5)])
        batch = journal.read(journal.cursor("main"), polls * groups // 2)
        journal.advance(journal.cursor("main"), batch.after, [DeadLetter(row, "no") for row in batch.rows[20:30]])
        journal.advance(journal.cursor("second"), journal.tail())
        return contents(journal)


def served(path: Path) -> Contents:
    """Open a journal as the service does, prove it, and have it mended where it is damaged; return what it holds."""
    with in_charge(path) as journal:
        try:
            damaged = journal.prove(60, 1_000_000)
        except Unsound:
            damaged = Proof(0, whole=False, damaged=["the file"])
        if damaged.damaged:
            journal.mend()
        assert journal.prove(60, 1_000_000).damaged == []
        return contents(journal)


def honest(before: Contents, after: Contents) -> None:
    """Fail when something was made up, moved, or skipped."""
    for id_, point in after.points.items():
        # An older value may come to light where the row that superseded it is gone; it was written all the same.
        assert before.points.get(id_) == point, id_
    assert all(following <= before.cursors[consumer] for consumer, following in after.cursors.items())
    assert after.letters <= before.letters
    assert after.tail >= max([*after.points, *(following - 1 for following in after.cursors.values())], default=0)
