"""The settings as the rest of the collector sees them: whole, right, and with every default in its place.

What a value may be stands in `fields.py`. Nothing here reads a file or the environment: `loader.py` does.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from collector.settings import fields
from collector.settings.between import again, between
from collector.settings.mistakes import mistake
from collector.settings.secret import Secret
from collector.settings.section import Section
from collector.settings.shard import Shard
from collector.settings.tenants import Tenant, TenantDefaults

_Api = Literal["v2", "v1"]

_APIS = get_args(_Api)

Subject = Literal["organization", "device_groups", "device_secure_score"]


class Poll(Section):
    """When and what is polled. A slot is a whole multiple of `interval_seconds` since the Unix epoch."""

    interval_seconds: Annotated[int, fields.between(1, 21600)] = 3600
    timeout_seconds: Annotated[float, fields.over_zero(300)] = 30.0
    """Total, for one HTTP exchange."""
    concurrency: Annotated[int, fields.between(1, 256)] = 32
    """HTTP exchanges with APIs at once."""
    subjects: Annotated[tuple[Subject, ...], Field(strict=False), fields.distinct] = ("organization", "device_groups")


class Journal(Section):
    """Where history is kept, and for how many days; 0 keeps all of it."""

    path: fields.File = Path("journal.db")
    keep_days: Annotated[int, fields.between(0, 36500)] = 0


class Influx(Section):
    """An InfluxDB, or what speaks like one. What is of the other api version is empty or None."""

    api: _Api = "v2"
    url: fields.WebUrl = Field(description="the server's URL, like http://127.0.0.1:8086")
    org: fields.Line = ""
    """InfluxDB 2.x wants it; 3.x, 1.8 and VictoriaMetrics don't."""
    bucket: fields.Line = ""
    token: Secret | None = None
    """None for a server that asks for none, as VictoriaMetrics doesn't."""
    database: fields.Line = ""
    retention_policy: fields.Line = ""
    """Empty for the database's default one."""
    username: fields.Line = ""
    password: Secret | None = None
    measurements: fields.Measurements = ("*",)
    """Shell-style patterns of the measurements that go there."""
    tenants: fields.Texts | None = None
    """Names of the tenants whose points go there, None for all."""
    ca_file: fields.File | None = None
    """PEM certificates that are trusted beside the system's."""
    timeout_seconds: Annotated[float, fields.over_zero(300)] = 30.0
    """Total, for one HTTP exchange."""

    @field_validator("api", mode="before")
    @classmethod
    def _of_which(cls, api: Any) -> Any:  # noqa: ANN401 - whatever was written there
        if isinstance(api, str) and api not in _APIS:
            raise mistake('must be "v2", for InfluxDB 2.x, 3.x, Cloud, and 1.8 and up, or "v1", for any 1.x')
        return api

    @field_validator("org", "bucket", "token")
    @classmethod
    def _of_v2(cls, value: str | Secret | None, info: ValidationInfo) -> str | Secret | None:
        if value and info.data.get("api") == "v1":
            raise mistake('belongs to api "v2"; "v1" has database, retention_policy, username and password')
        if not value and info.data.get("api") == "v2" and info.field_name == "bucket":
            raise mistake('is missing; api "v2" writes to a bucket')
        return value

    @field_validator("database", "retention_policy", "username", "password")
    @classmethod
    def _of_v1(cls, value: str | Secret | None, info: ValidationInfo) -> str | Secret | None:
        if value and info.data.get("api") == "v2":
            raise mistake('belongs to api "v1"; "v2" has org, bucket and token')
        if not value and info.data.get("api") == "v1" and info.field_name == "database":
            raise mistake('is missing; api "v1" writes to a database')
        return value

    @field_validator("password")
    @classmethod
    def _with_username(cls, password: Secret | None, info: ValidationInfo) -> Secret | None:
        username = info.data.get("username")
        if info.data.get("api") != "v1" or username is None:
            return password
        if username and password is None:
            raise mistake("is missing; a username goes with a password or a password_file")
        if password is not None and not username:
            raise mistake("is missing; a password goes with it", at="username")
        return password


class Spikes(Section):
    """By how many points of the score, and against how many days, a rise is a spike."""

    rise_points: Annotated[float, fields.over_zero(100)] = 5.0
    group_rise_points: Annotated[float, fields.over_zero(100)] = 10.0
    window_days: Annotated[int, fields.between(3, 365)] = 14


class Web(Section):
    """Where the collector answers HTTP, and to which names beside its own address."""

    listen: fields.Listen = "127.0.0.1:9470"
    """Empty for none. Port 0 is any free one."""
    allowed_hosts: Annotated[tuple[fields.Host, ...], Field(strict=False)] = ()
    """More names that are accepted in the Host header, in lower case, without port."""
    token: Secret | None = None
    """What beyond loopback all but `/livez` and `/readyz` wants; None for what needs none."""

    @property
    def host(self) -> str:
        """The host or address to listen on, without brackets; empty for none."""
        return fields.split_listen(self.listen)[0] if self.listen else ""

    @property
    def port(self) -> int:
        """The port to listen on; 0 is any free one, also where there is no host."""
        return fields.split_listen(self.listen)[1] if self.listen else 0

    @property
    def url(self) -> str | None:
        """Where this machine asks, to the final slash; None where that can't be known beforehand."""
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - what may be said
        return f"http://{f'[{reached}]' if ':' in reached else reached}:{self.port}/" if self.port else None


class Log(Section):
    """How much is logged, and in which form; `auto` is console on a terminal and json elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(Section):
    """All settings. Whoever holds one holds a valid one; only the files of secrets are yet to be read."""

    tenants_dir: fields.File | None = None
    """The folder of tenants that are files; they are among `tenants`."""
    shard: fields.Share = None
    """Which part of the tenants is this process's, None for all."""
    poll: Poll = Poll()
    tenant_defaults: TenantDefaults = TenantDefaults()
    tenants: dict[fields.TenantName, Tenant] = Field(default_factory=dict)
    journal: Journal = Journal()
    influxdb: dict[fields.SinkName, Influx] = Field(default_factory=dict)
    spikes: Spikes = Spikes()
    web: Web = Web()
    log: Log = Log()
    _elsewhere: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def elsewhere(self) -> frozenset[str]:
        """The names of the tenants that other shards poll."""
        return self._elsewhere

    def own(self) -> "Settings":
        """Return these settings with the tenants of this shard alone, and of the others their names."""
        shard = self.shard
        if shard is None:
            return self
        mine = {name: tenant for name, tenant in self.tenants.items() if shard.has(name)}
        kept = self.model_copy(update={"tenants": mine})
        kept._elsewhere = frozenset(self.tenants) - mine.keys()  # noqa: SLF001 - its own class's
        return kept

    def shard_of(self, tenant: str) -> Shard | None:
        """Return the other shard that polls a tenant of these settings; None for all other names."""
        return self.shard.owner(tenant) if self.shard and tenant in self._elsewhere else None

    def keeping(self, old: "Settings", but: Collection[str]) -> "Settings":
        """Return the settings `old` with the tables and keys `but` of these."""
        kept = old.model_copy(update={key: value for key, value in self if key in but})
        kept._elsewhere = self._elsewhere  # noqa: SLF001 - its own class's
        return kept

    @field_validator("tenants")
    @classmethod
    def _some(cls, tenants: dict[str, Tenant], info: ValidationInfo) -> dict[str, Tenant]:
        if not tenants and not info.context:
            raise mistake(
                "none is named; add a table [tenants.NAME], a file NAME.toml in tenants_dir or, without a file of"
                " settings, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
            )
        return tenants

    @model_validator(mode="wrap")
    @classmethod
    def _together(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:  # noqa: ANN401
        """Look at what was written, not at what was built: a mistake elsewhere must not hide one between tables.

        `info.context`: whether tenants are missing that are to be there, since their files can't be read.
        """
        mistakes = list(between(data, strangers=not info.context))
        try:
            settings = handler(data)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [*again(error), *mistakes], hide_input=True
            ) from None
        if mistakes:
            raise ValidationError.from_exception_data(cls.__name__, mistakes, hide_input=True)
        return settings
