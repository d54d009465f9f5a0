"""Dead letters of which a part is damaged: what isn't what was written is never sent, and lets nothing old get past."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import MIDNIGHT, every, group, look
from pytest_structlog import StructuredLogCapture

from collector.batch import DeadLetter
from collector.journal import Journal, in_charge


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with three rows of which two sinks have refused all."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([group(f"g{n}", value=float(n)) for n in range(3)])
        for sink in ("main", "second"):
            take(journal, sink, 1, 2, 3)
    return path


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """It, open."""
    with Journal(path) as journal:
        yield journal


def take(journal: Journal, sink: str, *ids: int) -> None:
    """Let `sink` take everything but these rows."""
    cursor = journal.cursor(sink)
    batch = journal.read(cursor, 1000)
    assert journal.advance(cursor, batch.after, [DeadLetter(row, "no") for row in batch.rows if row.id in ids])


def resent(journal: Journal, *sinks: str, limit: int = 100) -> tuple[int, int]:
    """Send all letters again, `limit` a transaction; return how many were sent, and how many had a newer value."""
    sent, superseded, after, last = 0, 0, 0, journal.letters.last()
    while True:
        for sink in sinks:
            take(journal, sink)
        part = journal.letters.resend(sinks, after, last, limit)
        if part is None:
            return sent, superseded
        assert part.after > after
        sent, superseded, after = sent + part.sent, superseded + part.superseded, part.after


def scores(journal: Journal) -> list[tuple[str | None, object]]:
    """Return the groups with their scores, as a consumer reads them."""
    return [(point.series.tag("rbacGroupName"), point.fields["score"]) for point in every(journal)]


def test_a_damaged_letter_stays_and_keeps_no_other(journal: Journal, log: StructuredLogCapture) -> None:
    """It is named once, neither listed nor sent again, and the others are."""
    look(journal.path, "UPDATE dead_letter SET data = x'00' WHERE row = 2")
    assert [letter.row.id for letter in journal.letters.every(["main"])] == [1, 3]
    assert log.has("journal.damaged", what="row 2")
    assert resent(journal, "main", limit=1) == (2, 0)
    assert journal.dead_letters("main") == 1
    assert len(log.events) == 1


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE dead_letter SET series = 77 WHERE sink = 'second' AND row = 2",
        "UPDATE dead_letter SET row = 2, id = 100 WHERE sink = 'second' AND row = 1",
        "UPDATE dead_letter SET row = 2, id = 0 WHERE sink = 'second' AND row = 1",
    ],
)
def test_a_damaged_letter_beside_a_sound_one_brings_no_old_value_back(journal: Journal, harm: str) -> None:
    """Of a row that two sinks refused the letter that is sound says of what it is, and that has a newer value."""
    journal.append([group("g1", value=100.0)])
    look(journal.path, harm)
    assert resent(journal, "main", "second") == (2, 1)
    assert scores(journal) == [("g1", 100.0), ("g0", 0.0), ("g2", 2.0)]


def test_a_letter_of_a_damaged_series_waits_however_often_its_group_has_a_new_value(journal: Journal) -> None:
    """The group goes on under another number, and no letter of the first gets past what came since."""
    look(journal.path, "UPDATE series SET tags = replace(tags, 'g1', 'g9') WHERE id = 2")
    journal.append([group("g1", value=100.0)])
    assert resent(journal, "main", "second") == (2, 0)
    with Journal(journal.path) as anew:
        assert resent(anew, "main", "second") == (0, 0)
        anew.append([group("g1", value=200.0)])
        assert resent(anew, "main", "second") == (0, 0)
        assert scores(anew) == [("g0", 0.0), ("g2", 2.0), ("g1", 200.0)]
        assert anew.dead_letters("main") == 1


def test_a_letter_of_a_damaged_series_is_left_behind_where_the_journal_is_mended(path: Path) -> None:
    """Nobody knows any more of what it is: the new file has no letter that could be sent under another's number."""
    look(path, "UPDATE series SET tags = replace(tags, 'g2', 'g9') WHERE id = 3")
    with Journal(path) as damaged:
        damaged.append([group("g2", value=100.0)])
    with path.open("r+b") as file:
        file.seek(20)
        file.write(b"\xff")
    with in_charge(path) as journal:
        assert [letter.row.id for letter in journal.letters.every(["main"])] == [1, 2]
        journal.append([group("new", MIDNIGHT, 5.0)])
        assert resent(journal, "main", "second") == (2, 0)
        assert scores(journal) == [("g2", 100.0), ("new", 5.0), ("g0", 0.0), ("g1", 1.0)]
