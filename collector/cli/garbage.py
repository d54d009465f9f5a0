"""Python's search for cyclic garbage, for a process that keeps much and makes little of it."""

import gc

_YOUNG = 100_000
"""Objects that are made, and not gone by themselves, before the search looks at them; Python's own number is 700."""


def search_seldom() -> None:
    """Have it look at new objects seldom, and never again at those that there are now.

    Answers, points and rows hold no cycles: they go with their last reader. Looked at each 700 objects, and all of them
    whenever they grew by a quarter, they cost a fourth of the time in which they are made. What does hold cycles (an
    error with its trace) is found all the same, a few megabytes later.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
