"""The gauge of the month sees each thing that grows, and nothing where nothing does."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from mmap import mmap
from multiprocessing import get_context
from pathlib import Path

import pytest
from month.gauge import Sample, grown, growth, measure

SLOTS, EACH = 60, 5

Slot = Callable[[int, ExitStack, Path], object]
"""What is done in a slot: its number, what is kept to the life's end, the journal's file."""


def _live(each: Slot, journal: Path) -> list[Sample]:
    journal.write_bytes(b"0" * 10_000)
    samples = []
    with ExitStack() as kept:
        for slot in range(SLOTS):
            each(slot, kept, journal)
            if slot % EACH == EACH - 1:
                samples.append(measure(slot + 1, journal))
    return samples


@pytest.fixture
def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Slot], list[Sample]]:
    """Return the samples of a short life with that in each slot, in a process where nothing else lives."""
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)  # what measures the coverage takes memory of its own

    def live(each: Slot) -> list[Sample]:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            return process.submit(_live, each, tmp_path / "journal.db").result(60)

    return live


def _come_and_go(slot: int, _: ExitStack, journal: Path) -> None:
    cycle: list[object] = [bytearray(200_000), {"slot": slot}]
    cycle.append(cycle)
    thread = threading.Thread(target=cycle.clear)
    thread.start()
    thread.join()
    journal.read_bytes()


def _keep_memory(_: int, kept: ExitStack, __: Path) -> None:
    kept.enter_context(mmap(-1, 65_536)).write(b"1" * 65_536)


def _keep_little_things(slot: int, kept: ExitStack, _: Path) -> None:
    things = [[slot, str(n) * 9] for n in range(5)]
    kept.callback(things.clear)


def _leave_a_thread(slot: int, kept: ExitStack, _: Path) -> None:
    if slot % 10 == 0:
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        kept.callback(thread.join)
        kept.callback(end.set)


def _leave_open(slot: int, kept: ExitStack, journal: Path) -> None:
    if slot % 10 == 0:
        kept.enter_context(journal.open("rb"))


def _append(_: int, __: ExitStack, journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(b"1" * 1000)


def test_where_nothing_grows_nothing_is_said(lived: Callable[[Slot], list[Sample]]) -> None:
    """Things that come and go are no growth, cycles among them."""
    assert grown(lived(_come_and_go)) == []


def test_memory_that_is_kept_is_seen(lived: Callable[[Slot], list[Sample]]) -> None:
    """Memory that stays, 64 KiB a slot, is seen in the process's size, also where the process has some to spare."""
    assert "rss_kib" in grown(lived(_keep_memory))


def test_a_list_that_grows_is_seen(lived: Callable[[Slot], list[Sample]]) -> None:
    """Five little things a slot are far too few for the process's size, and are seen as what they are."""
    found = grown(lived(_keep_little_things))
    assert {"blocks", "objects"} <= set(found)
    assert "rss_kib" not in found


def test_threads_that_stay_are_seen(lived: Callable[[Slot], list[Sample]]) -> None:
    """One thread in ten slots that waits for ever."""
    assert "threads" in grown(lived(_leave_a_thread))


def test_descriptors_that_stay_open_are_seen(lived: Callable[[Slot], list[Sample]]) -> None:
    """One file in ten slots that nobody closes."""
    assert "descriptors" in grown(lived(_leave_open))


def test_a_file_that_grows_is_seen(lived: Callable[[Slot], list[Sample]]) -> None:
    """A journal of which nothing goes, 1,000 bytes a slot."""
    assert grown(lived(_append)) == ["journal"]


def test_what_grows_while_warming_up_and_one_busy_moment_are_no_growth() -> None:
    """The first third doesn't count, and one sample that is off moves nothing."""
    plain = {"objects": 1, "threads": 15, "descriptors": 19}
    samples = [
        Sample(slots=n * 10, rss_kib=min(n, 10) * 1000, blocks=9_000 if n == 25 else 1_000, **plain) for n in range(30)
    ]
    assert set(growth(samples).values()) == {0.0}
    assert grown(samples) == []
