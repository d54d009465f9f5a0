"""What becomes of memory that was given back, of many threads that seldom need much at once: it goes to the system.

Of itself glibc lets each thread have a pool of its own, up to eight a core, and in each of them room stays for what it
once held: answers, batches, tables that have grown. One for all of them holds 20 MiB less where 40,000 series are
polled, and costs no time: Python lets one thread at a time run, and has pools of its own for what is small.
"""

from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""As `malloc.h` has them."""
_GREAT = 128 * 1024
"""Bytes: what glibc begins with, and raises to 32 MiB with the greatest piece that was ever given back."""


def give_back_soon() -> None:
    """Let all threads share one pool, and the system have at once what is great; without glibc change nothing."""
    import ctypes

    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _GREAT), (_TRIM_THRESHOLD, _GREAT)):
            mallopt(parameter, value)
