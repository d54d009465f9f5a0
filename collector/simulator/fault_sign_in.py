"""Faults of the sign-in and of the tokens that it gave. Is not its good answers (`sign_in/`)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, get_args

from collector.simulator.answer import Answer, as_json
from collector.simulator.fault_answers import Instead, Unavailable
from collector.simulator.fault_kind import API, DISCOVERY, METADATA, TOKEN, Kind, is_count, is_one_of, need
from collector.simulator.sign_in import Cloud
from collector.simulator.sign_in.refusals import metadata_refusal, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredToken(Kind):
    """Every token that was given until now gets a 401; one that is fetched later doesn't."""

    name: ClassVar[str] = "expired_token"
    subjects: ClassVar[tuple[str, ...]] = API
    since: int = field(default_factory=time.monotonic_ns, init=False)
    """Nanoseconds of the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInError(Instead):
    """The token endpoint, or that of device codes, refuses with an AADSTS `code`, such as 7000222."""

    name: ClassVar[str] = "sign_in_error"
    subjects: ClassVar[tuple[str, ...]] = (*TOKEN, "device_code")
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
    """Tokens carry these `roles` (a person's: scopes), none by default: the permission was never granted."""

    name: ClassVar[str] = "sign_in_roles"
    subjects: ClassVar[tuple[str, ...]] = (*TOKEN, *METADATA)
    usual: ClassVar[tuple[str, ...]] = (*TOKEN, *METADATA)
    roles: Sequence[str] = ()

    def __post_init__(self) -> None:
        fit = isinstance(self.roles, list | tuple) and all(isinstance(role, str) for role in self.roles)
        need(fit, "roles is a list of texts, such as Machine.Read.All")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCloud(Kind):
    """The discovery says that the tenant is in this `cloud`: global, gcc, gcc-high or dod.

    `check` asks for it only when something else is refused: set it beside `sign_in_error,code=90002`, `not_found` or
    `redirect`.
    """

    name: ClassVar[str] = "other_cloud"
    subjects: ClassVar[tuple[str, ...]] = DISCOVERY
    usual: ClassVar[tuple[str, ...]] = DISCOVERY
    cloud: Cloud = "gcc-high"

    def __post_init__(self) -> None:
        need(self.cloud in get_args(Cloud), f"cloud is one of {', '.join(get_args(Cloud))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryNonsense(Instead):
    """The discovery answers 200 with JSON that names no endpoints, as something that isn't Entra does."""

    name: ClassVar[str] = "discovery_nonsense"
    subjects: ClassVar[tuple[str, ...]] = DISCOVERY
    usual: ClassVar[tuple[str, ...]] = DISCOVERY

    def _answer(self) -> Answer:
        return as_json({"status": "ok", "endpoints": []})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityNotFound(Instead):
    """The instance-metadata service answers 400: the machine was given no such identity."""

    name: ClassVar[str] = "identity_not_found"
    subjects: ClassVar[tuple[str, ...]] = METADATA
    usual: ClassVar[tuple[str, ...]] = METADATA

    def _answer(self) -> Answer:
        return metadata_refusal("invalid_request", "Identity not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataUpdating(Instead):
    """The instance-metadata service is being updated: `status` 404 or 410, for 70 seconds at most in Azure."""

    name: ClassVar[str] = "metadata_updating"
    subjects: ClassVar[tuple[str, ...]] = METADATA
    usual: ClassVar[tuple[str, ...]] = METADATA
    status: int = 410

    def __post_init__(self) -> None:
        need(is_one_of(self.status, (404, 410)), "status is one of 404, 410")

    def _answer(self) -> Answer:
        return replace(metadata_refusal("unknown", "The service is being updated; retry later"), status=self.status)
