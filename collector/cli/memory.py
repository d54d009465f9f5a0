"""What threads keep of memory that they gave back: one pool of it, for all of them.

Of itself glibc lets each thread have a pool of its own, up to eight a core, and in each of them room stays for what it
once held: answers, batches, tables that have grown. One for all of them holds 15 MiB less where 40,000 series are
polled, and costs no time: Python lets one thread at a time run, and has pools of its own for what is small.
"""

import os
from contextlib import suppress

_OWNERS = "MALLOC_ARENA_MAX"
"""By which glibc itself is told how many pools there may be."""
_ARENA_MAX = -8
"""As glibc's `malloc.h` has it."""


def share_one_pool() -> None:
    """Let all threads share one pool from now on; without glibc, or where the owner said how many, change nothing."""
    if _OWNERS in os.environ:
        return
    # A Python that was built without libffi has no ctypes that can be imported.
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
