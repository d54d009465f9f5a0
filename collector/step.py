"""What a poll needs next: the one word that passes between whoever makes a poll's steps and whoever has them made."""

import enum


class Step(enum.Enum):
    """What a poll needs after one step of it."""

    DONE = "it is whole"
    MORE = "another step, for the next page"
    SIGN_IN = "a new token, then the same step again"
