"""What every fault has: a name, and the subjects that it can strike. Is not a fault."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

API = ("organization", "device_groups", "device_secure_score")
TOKEN = ("sign_in",)
DISCOVERY = ("discovery",)
METADATA = ("metadata",)
SUBJECTS = (*API, *TOKEN, *DISCOVERY, "device_code", *METADATA)
"""What a request is about: three calls of the API, the token endpoint, the discovery before it, the endpoint of device
codes, and the instance-metadata service of managed identities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A fault with its parameters, checked: a value that doesn't fit is a ValueError that says what would."""

    name: ClassVar[str]
    subjects: ClassVar[tuple[str, ...]] = SUBJECTS
    """What it can strike when it is asked to."""
    usual: ClassVar[tuple[str, ...]] = API
    """What it strikes when no subject is named."""


def need(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence: need(x > 0, "x is above 0")
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(otherwise)


def is_number(value: object) -> bool:
    """Whether it is a finite number, 0 or more; true and false are none."""
    return is_offset(value) and isinstance(value, int | float) and value >= 0


def is_offset(value: object) -> bool:
    """Whether it is a finite number, of either sign; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_one_of(value: object, numbers: Collection[int]) -> bool:
    """Whether it is one of these whole numbers; 200.0 is not 200."""
    return isinstance(value, int) and value in numbers


def is_count(value: object) -> bool:
    """Whether it is a whole number, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
