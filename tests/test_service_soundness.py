"""A service whose journal is damaged knows it without being asked, and mends it; where it can't, it says so."""

from pathlib import Path

import pytest
from fakes import Time
from pytest_structlog import StructuredLogCapture

from collector.errors import JournalError
from collector.journal import Proof, Salvaged, Unsound
from collector.journal.filling import Carried
from collector.service.soundness import Soundness

SOUND = Proof(9, whole=True, damaged=())
SAVED = Salvaged(aside=Path("j.db.damaged"), carried=Carried(rows=7, lost=2, series=1, cursors=1, letters=0))
NO_ROOM = JournalError("j.db: no room", mend="make room")


class Journal:
    """A journal that is proven and mended as a test says."""

    def __init__(self, proofs: list[Proof | JournalError], mends: list[Salvaged | JournalError]) -> None:
        self.proofs = proofs
        self.mends = mends

    def prove(self, seconds: float, most: int) -> Proof:
        assert seconds < 8
        assert most > 0
        found = self.proofs.pop(0)
        if isinstance(found, JournalError):
            raise found
        return found

    def unite(self) -> int:
        return 0

    def mend(self) -> Salvaged:
        found = self.mends.pop(0)
        if isinstance(found, JournalError):
            raise found
        return found


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (Proof(9, whole=True, damaged=["row 8", "row 9"]), "damaged: rows 8-9"),
        (Unsound("j.db: malformed", mend="`run` sets it aside"), "j.db: malformed"),
    ],
)
def test_damage_is_said_and_mended_at_once(log: StructuredLogCapture, found: Proof | Unsound, fault: str) -> None:
    """Rows or pages: what is sound goes on in a new file, and the log has what, how much, and where the old one is."""
    soundness = Soundness(Journal([SOUND, found, SOUND], [SAVED]))
    for _ in range(3):
        soundness.look()
        assert soundness.fault == ""
    assert [event["event"] for event in log.events] == [
        "journal.proven",
        "journal.unsound",
        "journal.salvaged",
        "journal.proven",
    ]
    assert (log.events[1]["level"], log.events[1]["error"]) == ("error", fault)
    facts = {"rows": 7, "lost": 2, "cursors": 1, "dead_letters": 0, "aside": "j.db.damaged"}
    assert log.has("journal.salvaged", level="error", **facts)
    assert "backup" in log.events[2]["mend"]


def test_damage_that_can_not_be_mended_stays_a_fault(log: StructuredLogCapture) -> None:
    """Where there is no room for a second file that is what is said, with the mend, until a later look mends it."""
    damaged = Proof(9, whole=True, damaged=["row 8"])
    soundness = Soundness(Journal([damaged, damaged], [NO_ROOM, SAVED]))
    soundness.look()
    assert soundness.fault == "j.db: no room"
    assert log.events[-1]["mend"] == "make room"
    soundness.look()
    assert soundness.fault == ""


def test_a_file_that_can_not_be_read_now_is_not_set_aside(log: StructuredLogCapture) -> None:
    """A lock, a missing right, a full disk are no damage."""
    soundness = Soundness(Journal([JournalError("j.db: locked", mend="end it"), SOUND], []))
    soundness.look()
    assert (soundness.fault, log.events[-1]["mend"]) == ("j.db: locked", "end it")
    soundness.look()
    assert soundness.fault == ""


def test_one_damage_is_mended_once() -> None:
    """What a sink still says of mended damage calls for no other mend; new damage does, after a failure only later."""
    time = Time()
    soundness = Soundness(Journal([], [SAVED, NO_ROOM, SAVED]), time)
    first, second = Unsound("malformed"), Unsound("malformed")
    assert not soundness.wants([])
    assert soundness.wants([first])
    soundness.mend(first)
    assert not soundness.wants([first])
    assert soundness.wants([first, second])
    soundness.mend(first, second)
    assert not soundness.wants([Unsound("malformed")])
    time.now += 601
    assert not soundness.wants([first, second])
    assert soundness.wants([Unsound("malformed")])
