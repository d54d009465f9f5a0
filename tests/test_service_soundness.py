"""A service whose journal is damaged knows it without being asked: it says so at each look, and until it is mended."""

import pytest
from pytest_structlog import StructuredLogCapture

from collector.errors import JournalError
from collector.journal import Proof
from collector.service.soundness import Soundness


class Proven:
    """A journal whose proof is as a test says."""

    def __init__(self, *found: Proof | JournalError) -> None:
        self.found = list(found)

    def prove(self, seconds: float, most: int) -> Proof:
        assert seconds < 8
        assert most > 0
        found = self.found.pop(0)
        if isinstance(found, JournalError):
            raise found
        return found


SOUND = Proof(9, whole=True, damaged=())


@pytest.mark.parametrize(
    ("found", "fault", "mend"),
    [
        (Proof(9, whole=True, damaged=["row 8", "row 9"]), "damaged: rows 8-9", "bring back the last backup"),
        (JournalError("j.db: malformed", mend="bring back a backup"), "j.db: malformed", "bring back a backup"),
    ],
)
def test_damage_is_an_error_at_each_look(
    log: StructuredLogCapture, found: Proof | JournalError, fault: str, mend: str
) -> None:
    """Rows that are damaged, and a file that can't be read, are said with the mend each day until they are well."""
    soundness = Soundness(Proven(SOUND, found, found, SOUND))
    faults = []
    for _ in range(4):
        soundness.look()
        faults.append(soundness.fault)
    assert faults == ["", fault, fault, ""]
    assert [event["event"] for event in log.events] == [
        "journal.proven",
        "journal.unsound",
        "journal.unsound",
        "journal.proven",
    ]
    assert log.events[1]["level"] == "error"
    assert log.events[1]["error"] == fault
    assert mend in log.events[1]["mend"]
