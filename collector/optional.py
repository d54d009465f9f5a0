"""Leaving out what a library would import only because it happens to be there. Knows no library."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let a library be imported, in the block, as if the module `name` were not installed; one in use stays in use.

    For any thread.
    """
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]  # None stands for what can't be imported
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        modules.pop(name, None)  # another thread may have been as far
