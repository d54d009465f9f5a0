"""Dead letters: listed with the server's words, sent again in the journal's order, or given up."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, every, group, look, org, steps

from collector.batch import Cursor, DeadLetter, Row
from collector.journal import Journal, Resent, letters
from collector.point import Point

_FIRST = Cursor("", 1, 0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with five rows, each of a group of its own, whose clock stands at midnight."""
    with Journal(tmp_path / "journal.db", clock=lambda: MIDNIGHT / 1000) as journal:
        journal.append([group(f"g{n}", value=float(n)) for n in range(5)])
        yield journal


def refuse(journal: Journal, sink: str, *ids: int, words: str = "partial write") -> None:
    """Let `sink` take everything but these rows."""
    cursor = journal.cursor(sink)
    batch = journal.read(cursor, 1000)
    assert journal.advance(cursor, batch.after, [DeadLetter(row, words) for row in batch.rows if row.id in ids])


def resend(journal: Journal, *sinks: str, limit: int = 100) -> Sequence[Resent]:
    """Send all letters of `sinks` again, `limit` a transaction; between two of them the sinks take what there is."""
    last, after, parts = journal.letters.last(), 0, []
    while part := journal.letters.resend(sinks, after, last, limit):
        parts.append(part)
        after = part.after
        for sink in sinks:
            refuse(journal, sink)
    return parts


def _rows(journal: Journal) -> list[tuple[int, Point]]:
    return [(row.id, row.point) for row in journal.read(_FIRST, 1000).rows]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_list_says_who_refused_what_when_and_with_which_words(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Each letter of the sinks asked for comes once, in order, however many are read at a time."""
    refuse(journal, "main", 1, 2)
    refuse(journal, "second", 2, words="no")
    journal.move("main", 3)
    refuse(journal, "main", 4)
    monkeypatch.setattr(letters, "CHUNK", chunk)
    found = list(journal.letters.every(["main", "second"]))
    assert [(letter.sink, letter.row.id, letter.at, letter.words) for letter in found] == [
        ("main", 1, MIDNIGHT, "partial write"),
        ("main", 2, MIDNIGHT, "partial write"),
        ("second", 2, MIDNIGHT, "no"),
        ("main", 4, MIDNIGHT, "partial write"),
    ]
    assert found[1].row.point == group("g1", value=1.0)
    assert [letter.sink for letter in journal.letters.every(["second"])] == ["second"]
    assert [letter.row.id for letter in journal.letters.every(["main"], after=found[0].id)] == [2, 4]
    assert dict(journal.letters.counts()) == {"main": 3, "second": 1}
    assert [journal.letters.rows(sinks) for sinks in (["main"], ["main", "second"], [])] == [3, 3, 0]


def test_a_point_is_sent_again_as_a_new_row_for_every_sink(journal: Journal) -> None:
    """It stands at the tail, behind everything, its old row is gone, and it has no letter any more."""
    refuse(journal, "main", 2, 4)
    assert resend(journal, "main") == [Resent(sent=2, superseded=0, after=4, first=6, tail=8)]
    assert _rows(journal)[-2:] == [(6, group("g1", value=1.0)), (7, group("g3", value=3.0))]
    assert [id_ for id_, _ in _rows(journal)] == [1, 3, 5, 6, 7]
    assert journal.dead_letters("main") == 0


def test_what_was_refused_in_another_order_is_sent_again_in_that_of_the_rows(journal: Journal) -> None:
    """Also where a replay has brought the letter of an earlier row after that of a later one."""
    refuse(journal, "main", 4)
    journal.move("main", 1)
    refuse(journal, "main", 2, 4)
    refuse(journal, "second", 2, 4, 5)
    look(journal.path, "UPDATE dead_letter SET id = id + 10 WHERE row = 2")
    parts = [(part.sent, part.after) for part in resend(journal, "main", "second", limit=2)]
    assert parts == [(2, 4), (1, 5)]
    assert _rows(journal)[-3:] == [
        (6, group("g1", value=1.0)),
        (7, group("g3", value=3.0)),
        (8, group("g4", value=4.0)),
    ]


def test_nothing_is_sent_again_behind_rows_that_a_sink_has_yet_to_take(journal: Journal) -> None:
    """Two who send again at once don't pile up their points before a sink: the second waits for the first."""
    refuse(journal, "main", 2, 4)
    first = journal.letters.resend(["main"], 0, 2, 1)
    assert first == Resent(sent=1, superseded=0, after=2, first=6, tail=7)
    waits = Resent(sent=0, superseded=0, after=0, first=7, tail=7)
    assert journal.letters.resend(["main"], 0, 2, 1) == waits
    assert [row.id for row in journal.read(journal.cursor("main"), 10).rows] == [6]
    refuse(journal, "main")
    assert [part.sent for part in resend(journal, "main")] == [1]


def test_an_old_letter_costs_no_more_than_a_new_one(journal: Journal) -> None:
    """Whether it has a newer value is one look into the index, however much came behind it: writers wait meanwhile."""
    refuse(journal, "main", 1)
    journal.append([group(f"g{n % 50}", MIDNIGHT + DAY + n // 50 * HOUR, float(n)) for n in range(20_000)])
    while (batch := journal.read(cursor := journal.cursor("main"), 5_000)).rows:
        journal.advance(cursor, batch.after)
    taken = steps(journal)
    assert [part.sent for part in resend(journal, "main")] == [1]
    assert len(taken) < 50, "instructions by the hundred, where there are 20,000 rows"


def test_a_point_that_has_a_newer_value_is_not_sent_again(journal: Journal) -> None:
    """An old value never comes after a newer one of its identity: the letter goes, and is counted."""
    refuse(journal, "main", 2, 4)
    journal.append([group("g1", value=100.0)])
    refuse(journal, "main")
    (part,) = resend(journal, "main")
    assert (part.sent, part.superseded) == (1, 1)
    assert group("g1", value=1.0) not in every(journal)
    assert _rows(journal)[-2:] == [(6, group("g1", value=100.0)), (7, group("g3", value=3.0))]
    assert journal.dead_letters("main") == 0


def test_a_row_that_two_sinks_refused_is_one_point(journal: Journal) -> None:
    """It is appended once, and both have it from there; with one sink alone the other's letter is superseded then."""
    refuse(journal, "main", 2)
    refuse(journal, "second", 2)
    part = journal.letters.resend(["main", "second"], 0, journal.letters.last(), 1)
    assert part == Resent(sent=1, superseded=0, after=2, first=6, tail=7)
    refuse(journal, "main", 6)
    refuse(journal, "second", 6)
    assert [(part.sent, part.superseded) for part in resend(journal, "main")] == [(1, 0)]
    assert journal.dead_letters("second") == 1
    refuse(journal, "second")
    assert [(part.sent, part.superseded) for part in resend(journal, "second")] == [(0, 1)]


def test_a_letter_outlives_its_row(journal: Journal) -> None:
    """A point whose row was pruned meanwhile is still sent again."""
    refuse(journal, "main", 2)
    journal.prune(MIDNIGHT + DAY, ["main"])
    assert every(journal) == []
    assert [part.sent for part in resend(journal, "main")] == [1]
    assert _rows(journal) == [(6, group("g1", value=1.0))]


def test_an_old_value_does_not_come_back_once_the_newer_one_was_pruned(journal: Journal) -> None:
    """With the row that superseded it a letter loses its proof, so it goes along."""
    refuse(journal, "main", 2, 3)
    journal.append([group("g1", value=100.0)])
    refuse(journal, "main")
    assert journal.prune(MIDNIGHT, ["main"]) == 0
    assert journal.dead_letters("main") == 2
    assert journal.prune(MIDNIGHT + DAY, ["main"]) == 5
    assert [letter.row.id for letter in journal.letters.every(["main"])] == [3]


def test_a_row_that_is_refused_again_in_a_replay_has_one_letter(journal: Journal) -> None:
    """The later words stand; nothing is counted twice."""
    refuse(journal, "main", 2, 3, words="at first")
    journal.move("main", 1)
    refuse(journal, "main", 2, words="later")
    kept = [(letter.row.id, letter.words) for letter in journal.letters.every(["main"])]
    assert sorted(kept) == [(2, "later"), (3, "at first")]


def test_a_row_that_went_while_it_was_refused_leaves_no_letter(journal: Journal) -> None:
    """What was superseded or forgotten while a batch was on its way can't be sent again, and isn't kept."""
    cursor = journal.cursor("main")
    rows = journal.read(cursor, 10).rows
    journal.append([group("g1", value=100.0)])
    assert journal.advance(cursor, 6, [DeadLetter(row, "no") for row in rows[:3]])
    assert [letter.row.id for letter in journal.letters.every(["main"])] == [1, 3]


def test_discarding_takes_the_letters_and_leaves_the_points(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was there when it was asked for goes, and only of the sinks that were named."""
    assert journal.letters.last() == 0
    refuse(journal, "second", 4)
    refuse(journal, "main", 1, 2, 3)
    last = journal.letters.last()
    journal.append([org()])
    refuse(journal, "main", 6)
    monkeypatch.setattr(letters, "CHUNK", 2)
    assert journal.letters.discard(["main"], last) == 3
    assert dict(journal.letters.counts()) == {"main": 1, "second": 1}
    assert len(every(journal)) == 6


_WHAT = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("refuse"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("resend"), st.integers(1, 3), st.just(0)),
        st.tuples(st.just("prune"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(_WHAT)
def test_a_sink_ends_with_the_last_value_of_each_identity(
    tmp_path_factory: pytest.TempPathFactory, what: list[tuple[str, int, int]]
) -> None:
    """Whatever is refused, sent again and pruned in which order: an old value never replaces a newer one in a sink."""
    taken: dict[tuple[object, int], object] = {}
    last: dict[tuple[object, int], object] = {}
    value = 0.0
    with Journal(tmp_path_factory.mktemp("letters") / "journal.db") as journal:
        end = [("refuse", 9, 9), ("resend", 100, 0), ("refuse", 9, 9)]
        for kind, a, b in [*what, *end]:
            if kind == "append":
                value += 1
                point = group(f"g{a}", MIDNIGHT + b * HOUR, value)
                last[point.series, point.time] = point.fields["score"]
                journal.append([point])
            elif kind == "refuse":
                cursor = journal.cursor("main")
                batch = journal.read(cursor, 100)
                dead = [row for row in batch.rows if row.id % 3 == a]
                assert journal.advance(cursor, batch.after, [DeadLetter(row, "no") for row in dead])
                _take(taken, [row for row in batch.rows if row not in dead])
            elif kind == "resend":
                journal.letters.resend(["main"], 0, journal.letters.last(), a)
            else:
                journal.prune(MIDNIGHT + DAY, ["main"])
        assert journal.dead_letters("main") == 0
    assert taken == last


def _take(taken: dict[tuple[object, int], object], rows: Sequence[Row]) -> None:
    taken.update({(row.point.series, row.point.time): row.point.fields["score"] for row in rows})
