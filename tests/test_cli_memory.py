"""collector.cli.memory: what threads have given back is not kept for each of them."""

import ctypes
import os
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


def pools(when: str, **owners: str) -> int:
    """Return how many pools the C library says to have, where eight threads have worked at once."""
    env = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | owners
    command = [sys.executable, "-c", THREADS, when]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    return done.stderr.count("Arena ")


@pytest.mark.parametrize("when", ["shared", "as glibc has it"])
def test_threads_share_one_pool(when: str) -> None:
    """However many of them work at once; without the call there are several."""
    assert (pools(when) == 1) is (when == "shared")


def test_an_owner_who_said_how_many_pools_there_may_be_has_so_many() -> None:
    """By the variable that the C library itself reads."""
    assert pools("shared", MALLOC_ARENA_MAX="3") == 3


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nothing of the kind to be told, nothing is, and nothing fails."""
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
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
