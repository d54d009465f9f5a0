"""The gauge of the month sees each thing that grows, and nothing where nothing does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from mmap import mmap
from pathlib import Path

import pytest
from month.gauge import Sample, grown, growth, measure

SLOTS, EACH = 60, 5


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The file that is measured."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"0" * 10_000)
    return path


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends at the test's end what was planted."""
    with ExitStack() as stack:
        yield stack


def lived(journal: Path, each: Callable[[int], object]) -> list[Sample]:
    """Return the samples of a short life with that in each slot."""
    samples = []
    for slot in range(SLOTS):
        each(slot)
        if slot % EACH == EACH - 1:
            samples.append(measure(slot + 1, journal))
    return samples


def test_where_nothing_grows_nothing_is_said(journal: Path) -> None:
    """Things that come and go are no growth, cycles among them; what other tests have left running is not theirs."""

    def come_and_go(slot: int) -> None:
        cycle: list[object] = [bytearray(200_000), {"slot": slot}]
        cycle.append(cycle)
        thread = threading.Thread(target=cycle.clear)
        thread.start()
        thread.join()
        journal.read_bytes()

    assert any(grown(lived(journal, come_and_go)) == [] for _ in range(3))


def test_memory_that_is_kept_is_seen(journal: Path) -> None:
    """Memory that stays, 64 KiB a slot, is seen in the process's size, also where the process has some to spare."""
    with ExitStack() as kept:
        assert "rss_kib" in grown(lived(journal, lambda _: kept.enter_context(mmap(-1, 65_536)).write(b"1" * 65_536)))


def test_a_list_that_grows_is_seen(journal: Path) -> None:
    """Five little things a slot are far too few for the process's size, and are seen as what they are."""
    kept: list[object] = []
    found = grown(lived(journal, lambda slot: kept.extend([slot, str(n) * 9] for n in range(5))))
    assert {"blocks", "objects"} <= set(found)
    assert "rss_kib" not in found


def test_threads_that_stay_are_seen(journal: Path, stack: ExitStack) -> None:
    """One thread in ten slots that waits for ever."""
    end = threading.Event()
    stack.callback(end.set)

    def start(slot: int) -> None:
        if slot % 10 == 0:
            thread = threading.Thread(target=end.wait)
            thread.start()
            stack.callback(thread.join)
            stack.callback(end.set)

    assert "threads" in grown(lived(journal, start))


def test_descriptors_that_stay_open_are_seen(journal: Path, stack: ExitStack) -> None:
    """One file in ten slots that nobody closes."""

    def leave_open(slot: int) -> None:
        if slot % 10 == 0:
            stack.enter_context(journal.open("rb"))

    assert "descriptors" in grown(lived(journal, leave_open))


def test_a_file_that_grows_is_seen(journal: Path) -> None:
    """A journal of which nothing goes, 1,000 bytes a slot."""

    def append(_: int) -> None:
        with journal.open("ab") as file:
            file.write(b"1" * 1000)

    assert grown(lived(journal, append)) == ["journal"]


def test_what_grows_while_warming_up_and_one_busy_moment_are_no_growth() -> None:
    """The first third doesn't count, and one sample that is off moves nothing."""
    plain = {"objects": 1, "threads": 15, "descriptors": 19}
    samples = [
        Sample(slots=n * 10, rss_kib=min(n, 10) * 1000, blocks=9_000 if n == 25 else 1_000, **plain) for n in range(30)
    ]
    assert set(growth(samples).values()) == {0.0}
    assert grown(samples) == []
