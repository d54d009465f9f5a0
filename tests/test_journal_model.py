"""The journal against its model: any steps of two writers, a reader, four sinks and a person, in any order."""

from collections.abc import Callable
from dataclasses import replace
from sqlite3 import Connection

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from journal_drafts import GROUPS, MOMENTS, Draft
from journal_machine import JournalMachine

from collector.batch import Batch, Cursor, Filter
from collector.journal import counting, cursors, forgetting, letters, names, pruning
from collector.journal.letters import Letters
from collector.journal.log import Journal
from collector.journal.names import Names

Plant = Callable[[pytest.MonkeyPatch], None]
NOON = MOMENTS[3]


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be many: what is read or deleted in parts is so here, too."""
    monkeypatch.setattr(counting, "SPAN", 5)
    for room in (letters, pruning, forgetting):
        monkeypatch.setattr(room, "CHUNK", 2)


@pytest.mark.parametrize("warm", [2, pytest.param(1_000, marks=pytest.mark.unmeasured)])
def test_whatever_is_done_in_whatever_order_the_journal_is_its_model(
    warm: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order is kept, nothing is lost, nothing superseded is sent, nothing unsent pruned, no row passed by.

    So it is where memory holds all names, and where it holds few of them.
    """
    monkeypatch.setattr(names, "_WARM", warm)
    monkeypatch.setattr(names, "_ANSWERED", warm)
    run_state_machine_as_test(
        JournalMachine,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


ORG: Draft = ("contoso", "exposure_score", "", NOON)
OLD: Draft = ("contoso", "exposure_score", "", 0)


def live() -> None:
    """Take one order of steps in which every promise is needed; after each of them it is asked whether they hold."""
    machine = JournalMachine()
    try:
        _live(machine)
    finally:
        machine.teardown()


def _live(machine: JournalMachine) -> None:
    def did(act: Callable[..., object], *args: object) -> None:
        act(*args)
        for _ in machine.journals:
            machine.a_reader_finds_what_the_model_holds()
        machine.nothing_is_lost()

    did(machine.begin, [ORG, *(("contoso", "exposure_score_by_group", group, NOON) for group in GROUPS[:3]), OLD])
    # A row that was read ahead is superseded before its turn.
    did(machine.read, 0, "main", 2)
    did(machine.read_ahead, 0, "main", 2)
    did(machine.append, 1, [("contoso", "exposure_score_by_group", GROUPS[1], NOON)])
    did(machine.finish, 0, "main", 0)
    did(machine.take_ahead, 0, "main")
    for steps in range(1, 30):
        did(machine.append_broken_off, 0, [("fabrikam", "exposure_score", "", NOON)], steps)
        did(machine.append, 0, [("fabrikam", "exposure_score", "", NOON)])
    # A race: a person moves the cursor back while a batch is under way.
    did(machine.read, 0, "main", 9)
    did(machine.move, 1, "main", 1)
    did(machine.finish, 0, "main", 0)
    # All is refused; one has a newer value before it is sent again, one before it is pruned.
    did(machine.read, 0, "main", 9)
    did(machine.finish, 0, "main", 255)
    did(machine.append, 1, [ORG])
    did(machine.bring_up_to_date, "main")
    did(machine.resend, 0, {"main"}, 1)
    did(machine.append, 1, [OLD])
    for _ in range(20):
        did(machine.derive, 0, 9, False)
    did(machine.prune, 0, NOON, 0)
    did(machine.bring_up_to_date, "main")
    did(machine.come_or_go, "daily")
    did(machine.prune, 0, NOON, 0)
    did(machine.move, 0, "main", 9_999)
    # The row at the tail goes, and another comes.
    did(machine.append, 0, [("fabrikam", "exposure_score", "", NOON)])
    did(machine.forget, 0, "fabrikam", 0)
    did(machine.append, 0, [("fabrikam", "exposure_score", "", NOON)])


def _a_row_is_passed_by(patch: pytest.MonkeyPatch) -> None:
    read = Journal.read

    def hasty(self: Journal, cursor: Cursor, limit: int, *wanted: Filter) -> Batch:
        batch = read(self, cursor, limit, *wanted)
        return replace(batch, columns=batch.columns.part(1, len(batch.columns)))

    patch.setattr(Journal, "read", hasty)


def _a_race_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    def take(connection: Connection, cursor: Cursor, after: int) -> bool:
        cursors.put(connection, Cursor(cursor.consumer, after, cursor.moves))
        return True

    patch.setattr(cursors, "take", take)


def _a_cursor_is_moved_forward(patch: pytest.MonkeyPatch) -> None:
    def move(connection: Connection, consumer: str, to: int) -> Cursor:
        before = cursors.find(connection, consumer)
        assert before is not None
        cursors.put(connection, moved := Cursor(consumer, to, before.moves + 1))
        return moved

    patch.setattr(cursors, "move", move)


def _ids_come_again(patch: pytest.MonkeyPatch) -> None:
    last = "SELECT coalesce(max(id), 0) FROM point"
    patch.setattr(cursors, "tail", lambda connection: 1 + connection.execute(last).fetchone()[0])


FAULTS: dict[str, Plant] = {
    "what was read ahead stands whatever came": lambda patch: patch.setattr(Journal, "stands", lambda *_: True),
    "a row is passed by": _a_row_is_passed_by,
    "a race is not seen": _a_race_is_not_seen,
    "a cursor is moved forward": _a_cursor_is_moved_forward,
    "ids come again": _ids_come_again,
    "the unsent is pruned": lambda patch: patch.setattr(
        cursors, "taken", lambda connection, _: cursors.tail(connection)
    ),
    "the superseded is sent again": lambda patch: patch.setattr(Letters, "_superseded", lambda *_: False),
    "what was refused is gone": lambda patch: patch.setattr(Letters, "bury", lambda *_: None),
    "a letter outlives its newer value": lambda patch: patch.setattr(letters, "drop_superseded", lambda *_: None),
    "what never was is still known": lambda patch: patch.setattr(Names, "forget", _once(Names.forget)),
}


def _once(forget: Callable[[Names], None]) -> Callable[[Names], None]:
    """Return what makes ready, and forgets nothing afterwards."""
    return lambda names: None if hasattr(names, "_following") else forget(names)


def test_a_journal_that_keeps_its_promises_lives() -> None:
    """The order of steps by which faults are found is no fault itself."""
    live()


@pytest.mark.unmeasured
@pytest.mark.parametrize("fault", FAULTS)
def test_a_journal_that_breaks_a_promise_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: each of these faults breaks it."""
    FAULTS[fault](monkeypatch)
    with pytest.raises(AssertionError):
        live()
