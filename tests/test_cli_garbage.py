"""collector.cli.garbage: what is looked for seldom is found all the same."""

import subprocess
import sys

CYCLES = """
import gc
import weakref

from collector.cli.garbage import search_seldom

class Ring:
    def __init__(self):
        self.itself = self

search_seldom()
first = weakref.ref(Ring())
rings = 0
while first() is not None and rings < 1_000_000:
    Ring()
    rings += 1
print(rings, gc.get_freeze_count())
"""


def test_what_holds_itself_is_let_go_after_a_while() -> None:
    """An object that only a cycle keeps alive is gone before a few hundred thousand others are made, by itself."""
    done = subprocess.run([sys.executable, "-c", CYCLES], capture_output=True, text=True, check=True, timeout=60)
    rings, frozen = map(int, done.stdout.split())
    assert 10_000 < rings < 300_000
    assert frozen > 1_000
