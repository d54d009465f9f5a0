"""Which fault strikes which request. Is not what a fault does: that is in `fault_*.py`, a class each."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

from collector.errors import ConfigError
from collector.simulator.fault_answers import (
    Body,
    DisabledFeature,
    Empty,
    Forbidden,
    Html,
    NotFound,
    NotJson,
    Redirect,
    Throttle,
    Unavailable,
)
from collector.simulator.fault_kind import SUBJECTS, Kind
from collector.simulator.fault_rows import BadRows, NoIds, PageElsewhere, PageLoop, Pages, PagesEndless
from collector.simulator.fault_sending import Clock, Drip, Hang, Reset, SignInHang, Slow
from collector.simulator.fault_sign_in import (
    DiscoveryNonsense,
    ExpiredToken,
    IdentityNotFound,
    MetadataUpdating,
    OtherCloud,
    SignInError,
    SignInRoles,
    SignInUnavailable,
)

_K = TypeVar("_K", bound=Kind)

KINDS: Mapping[str, type[Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            *(Throttle, Unavailable, Forbidden, DisabledFeature, NotFound, Redirect, NotJson, Html, Empty, Body),
            *(BadRows, NoIds, Pages, PageElsewhere, PageLoop, PagesEndless),
            *(Slow, Drip, Hang, Reset, Clock),
            *(ExpiredToken, SignInHang, SignInError, SignInUnavailable, SignInRoles),
            *(OtherCloud, DiscoveryNonsense, IdentityNotFound, MetadataUpdating),
        )
    }
)
"""Every fault by its name."""


@dataclass(slots=True, kw_only=True)
class _Active:
    kind: Kind
    tenant: str | None
    subject: str | None
    after: int
    times: int | None

    def strikes(self, tenant: str | None, subject: str) -> bool:
        wanted = self.kind.usual if self.subject is None else (self.subject,)
        return subject in wanted and self.tenant in (None, tenant)


class Faults:
    """The faults that are set, for `tenants` (names). Any thread may set, clear and look.

    One request can meet several faults of different kinds (a throttled answer that drips); of one kind the last set
    that fits strikes.
    """

    def __init__(self, tenants: Sequence[str]) -> None:
        self._tenants = tuple(tenants)
        self._known = frozenset(tenants)
        self._active: list[_Active] = []
        self._lock = threading.Lock()

    def set(
        self,
        fault: str,
        /,
        *,
        tenant: str | None = None,
        subject: str | None = None,
        times: int | None = None,
        after: int = 0,
        **parameters: object,
    ) -> None:
        """Let `fault` strike the requests of `tenant` (None: all) for `subject` (None: those that it is meant for).

        The first `after` requests that fit are spared; then it strikes `times` of them, None: until it is cleared. The
        same fault for the same tenant and subject is replaced. Raise ConfigError for a fault, tenant, subject or
        parameter that doesn't exist, and for a value that doesn't fit.
        """
        kind = _kind(fault)
        problems = [
            *self._misplaced(fault, kind, tenant, subject),
            *_miscounted(fault, times=times, after=after),
            *_misnamed(fault, kind, parameters),
        ]
        if problems:
            raise ConfigError(problems)
        try:
            built = kind(**parameters)
        except ValueError as error:
            raise ConfigError([f"{fault}: {error}"]) from error
        with self._lock:
            self._drop(lambda old: (type(old.kind), old.tenant, old.subject) == (kind, tenant, subject))
            self._active.insert(0, _Active(kind=built, tenant=tenant, subject=subject, after=after, times=times))

    def clear(self, fault: str | None = None, *, tenant: str | None = None) -> None:
        """Take back all faults, or those of that name, or those that were set for that tenant.

        Raise ConfigError for a fault or tenant that doesn't exist.
        """
        kind = None if fault is None else _kind(fault)
        if problems := self._unknown("clear", tenant):
            raise ConfigError(problems)
        with self._lock:
            self._drop(lambda old: kind in (None, type(old.kind)) and tenant in (None, old.tenant))

    def take(
        self, kind: type[_K], tenant: str | None, subject: str, where: Callable[[_K], bool] = lambda _: True
    ) -> _K | None:
        """Return the fault of that kind that strikes this request, and count it; None when none does."""
        with self._lock:
            for active in self._active:
                found = active.kind
                if not (isinstance(found, kind) and active.strikes(tenant, subject) and where(found)):
                    continue
                if active.after:
                    active.after -= 1
                    continue
                if active.times is not None:
                    active.times -= 1
                    self._drop(lambda old: old.times == 0)
                return found
        return None

    def active(self) -> list[dict[str, Any]]:
        """Return what is set, in the words of `set`, with the counts that are left; the last set comes first."""
        with self._lock:
            return [
                {
                    "fault": active.kind.name,
                    "tenant": active.tenant,
                    "subject": active.subject,
                    "times": active.times,
                    "after": active.after,
                    **{name: getattr(active.kind, name) for name in parameters_of(type(active.kind))},
                }
                for active in self._active
            ]

    def _drop(self, which: Callable[[_Active], bool]) -> None:
        self._active = [active for active in self._active if not which(active)]

    def _unknown(self, where: str, tenant: object) -> list[str]:
        if tenant is None or (isinstance(tenant, str) and tenant in self._known):
            return []
        return [f"{where}: there is no tenant {tenant!r}; known: {_some(self._tenants)}"]

    def _misplaced(self, fault: str, kind: type[Kind], tenant: object, subject: object) -> list[str]:
        problems = self._unknown(fault, tenant)
        if subject is not None and subject not in SUBJECTS:
            problems.append(f"{fault}: there is no subject {subject!r}; known: {_some(kind.subjects)}")
        elif subject is not None and subject not in kind.subjects:
            problems.append(f"{fault}: it can't strike {subject!r}; it can strike: {_some(kind.subjects)}")
        return problems


def parameters_of(kind: type[Kind]) -> list[str]:
    """Return the names of a fault's own parameters."""
    return [parameter.name for parameter in fields(kind) if parameter.init]


def _kind(fault: str) -> type[Kind]:
    if fault not in KINDS:
        raise ConfigError([f"there is no fault {fault!r}; known: {_some(sorted(KINDS))}"])
    return KINDS[fault]


def _miscounted(fault: str, *, times: object, after: object) -> list[str]:
    problems = []
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        problems.append(f"{fault}: times is a count of requests, 1 or more, or null: until it is cleared")
    if not isinstance(after, int) or isinstance(after, bool) or after < 0:
        problems.append(f"{fault}: after is a count of requests that are spared, 0 or more")
    return problems


def _misnamed(fault: str, kind: type[Kind], given: Mapping[str, object]) -> list[str]:
    known = parameters_of(kind)
    needed = [one.name for one in fields(kind) if one.init and one.default is one.default_factory is MISSING]
    strangers = [
        f"{fault}: there is no parameter {name!r}; known: {_some(known)}" for name in given if name not in known
    ]
    return [*strangers, *(f"{fault}: the parameter {name!r} is missing" for name in needed if name not in given)]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30]) or "none"
    return f"{shown}, … ({len(names)} in all)" if len(names) > len(names[:30]) else shown
