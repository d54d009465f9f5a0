"""Faults of the sign-in and of the tokens that it gave. Is not its good answers (`sign_in.py`)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from collector.simulator.answer import Answer
from collector.simulator.entra import refusal
from collector.simulator.fault_answers import Instead, Unavailable
from collector.simulator.fault_kind import API, TOKEN, Kind, is_count, need


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredToken(Kind):
    """Every token that was given until now gets a 401, one that is fetched later doesn't."""

    name: ClassVar[str] = "expired_token"
    subjects: ClassVar[tuple[str, ...]] = API
    since: int = field(default_factory=time.monotonic_ns, init=False)
    """Nanoseconds of the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInError(Instead):
    """The token endpoint refuses with an AADSTS `code`."""

    name: ClassVar[str] = "sign_in_error"
    subjects: ClassVar[tuple[str, ...]] = TOKEN
    usual: ClassVar[tuple[str, ...]] = TOKEN
    code: int

    def __post_init__(self) -> None:
        need(is_count(self.code), "code is the number of an AADSTS code, such as 7000222")

    def _answer(self) -> Answer:
        return refusal(self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInUnavailable(Unavailable):
    """The token endpoint answers 500, 502, 503 or 504."""

    name: ClassVar[str] = "sign_in_unavailable"
    subjects: ClassVar[tuple[str, ...]] = TOKEN
    usual: ClassVar[tuple[str, ...]] = TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRoles(Kind):
    """Tokens carry these `roles`, none by default: the application was never granted its permission."""

    name: ClassVar[str] = "sign_in_roles"
    subjects: ClassVar[tuple[str, ...]] = TOKEN
    usual: ClassVar[tuple[str, ...]] = TOKEN
    roles: Sequence[str] = ()

    def __post_init__(self) -> None:
        fit = isinstance(self.roles, list | tuple) and all(isinstance(role, str) for role in self.roles)
        need(fit, "roles is a list of texts, such as Machine.Read.All")
