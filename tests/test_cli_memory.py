"""collector.cli.memory: what threads have given back is not kept for each of them."""

import ctypes
import subprocess
import sys

import pytest

from collector.cli.memory import share_one_pool

THREADS = """
import ctypes
import sys
import threading

from collector.cli.memory import share_one_pool

if sys.argv[1] == "shared":
    share_one_pool()
together = threading.Barrier(8)

def work():
    together.wait()
    held = [bytes(5_000) for _ in range(200)]
    together.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.parametrize("when", ["shared", "as glibc has it"])
def test_threads_share_one_pool(when: str) -> None:
    """However many of them work at once, by what the C library says of its pools; without the call it has several."""
    done = subprocess.run([sys.executable, "-c", THREADS, when], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stderr.count("Arena ") == 1) is (when == "shared")


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nothing of the kind to be told, nothing is, and nothing fails."""
    asked: list[object] = []

    class Other:
        def __init__(self, name: object) -> None:
            asked.append(name)

    monkeypatch.setattr(ctypes, "CDLL", Other)
    share_one_pool()
    assert asked == [None]


def test_a_python_that_can_call_no_library_of_c_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built without libffi it can't import what calls them."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    share_one_pool()
