"""What InfluxDB 1.x lacks of a database and its retention policy, in InfluxQL. Is not for 3.x (`databases3.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import ConfigError, Unauthorized
from collector.influx.management import Management
from collector.influx.plan import DAY, Plan, Step, go_seconds, shard_seconds, shorter, span
from collector.settings import Influx

USUAL = "autogen"
"""What InfluxDB itself calls the first retention policy of a database."""
_BREAKS = "["
"""1.x takes it in a name, looks for files by that name as a pattern, and so fails at each write for ever."""
_NO_NAME = (": invalid name", ": name too long")
"""How it says that nothing can be called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A retention policy as it is. Both times are seconds; 0 is for ever."""

    name: str
    seconds: int
    shard_seconds: int
    default: bool


class Databases:
    """The databases of one server of 1.x."""

    def __init__(self, settings: Influx, management: Management) -> None:
        self._database = settings.database
        self._policy = settings.retention_policy
        self._management = management
        self._seen = False
        user = f"the user {settings.username}" if settings.username else "whoever asks"
        self.right = f"{user} needs ALL PRIVILEGES"

    def plan(self, keep: int | None) -> Plan:
        """Return what the server lacks; raise Forbidden, Unauthorized, Unavailable, or ConfigError for a bad name."""
        steps = needed(self._database, self._policy, keep, self._policies())
        if _BREAKS in self._database + self._policy and any(step.what == "create" for step in steps):
            raise self._no_name("it would be created, and then take no points")
        return Plan(steps=steps)

    def whole(self, keep: int | None) -> Plan:
        """Return what is lacking where no more can be seen than that there is a database, if even that."""
        if self._seen and keep is not None:
            made = Policy(name=self._policy or USUAL, seconds=0, shard_seconds=shard_seconds(0), default=True)
            return Plan(steps=[_retention(self._database, made, keep)])
        return Plan(steps=needed(self._database, self._policy, keep, None))

    def do(self, step: Step) -> None:
        """Return once the server has said yes; raise as `plan` does, or ConfigError for a name that it doesn't take."""
        try:
            self._management.influxql(step.statement)
        except Unauthorized as error:
            if not str(error).endswith(_NO_NAME):
                raise
            raise self._no_name(str(error)) from error

    def _no_name(self, why: str) -> ConfigError:
        table = self._management.asked.table
        keys = [f"{table}.database", *([f"{table}.retention_policy"] if self._policy else [])]
        return ConfigError(
            [f"{' or '.join(keys)}: InfluxDB takes no such name ({why})"],
            mend="it may have no /, no \\ and no [, must not be . or .., and has at most 255 bytes",
        )

    def _policies(self) -> Sequence[Policy] | None:
        rows = self._management.influxql("SHOW DATABASES")
        if self._database not in [row.get("name") for row in rows]:
            return None
        self._seen = True
        rows = self._management.influxql(f"SHOW RETENTION POLICIES ON {quoted(self._database)}")
        try:
            return [
                Policy(
                    name=row["name"],
                    seconds=go_seconds(row["duration"]),
                    shard_seconds=go_seconds(row["shardGroupDuration"]),
                    default=row["default"],
                )
                for row in rows
            ]
        except (LookupError, TypeError, ValueError):
            raise self._management.strange() from None


def needed(database: str, named: str, keep: int | None, found: Sequence[Policy] | None) -> Sequence[Step]:
    """Return the steps after which points can be written to `database` and are kept for `keep` seconds.

    `named`: the retention policy, empty for the default one. `keep`: 0 is for ever, None leaves one that is there as it
    is. `found`: the policies that are there, None where there is no database. A policy that is made in a database
    which has a default one does not take its place.
    """
    if found is None:
        return [_database(database, named or USUAL, keep or 0)]
    default = next((policy for policy in found if policy.default), None)
    wanted = named or (default.name if default else USUAL)
    there = next((policy for policy in found if policy.name == wanted), None)
    if there is None:
        return [_policy(database, wanted, keep or 0, default)]
    steps = [] if default or named else [_default(database, wanted)]
    return [*steps, *([] if keep in (None, there.seconds) else [_retention(database, there, keep or 0)])]


def quoted(name: str) -> str:
    """Return a name as InfluxQL takes it, whatever is in it."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _database(database: str, policy: str, seconds: int) -> Step:
    # With its policy named: a server may be set to make none, and a database without one takes no points.
    statement = f"CREATE DATABASE {quoted(database)} WITH DURATION {_duration(seconds)} REPLICATION 1"
    return Step(
        what="create",
        words=f"create the database {database} with the retention policy {policy}, kept {span(seconds)}",
        statement=f"{statement} NAME {quoted(policy)}",
        seconds=seconds,
    )


def _policy(database: str, policy: str, seconds: int, default: Policy | None) -> Step:
    statement = f"CREATE RETENTION POLICY {quoted(policy)} ON {quoted(database)} DURATION {_duration(seconds)}"
    aside = f"; queries have to name it, since {default.name} stays the default" if default else ", as the default"
    return Step(
        what="create",
        words=f"create the retention policy {policy} of the database {database}, kept {span(seconds)}{aside}",
        statement=f"{statement} REPLICATION 1{'' if default else ' DEFAULT'}",
        seconds=seconds,
    )


def _default(database: str, policy: str) -> Step:
    return Step(
        what="map",
        words=f"make the retention policy {policy} the default of the database {database}, which has none",
        statement=f"ALTER RETENTION POLICY {quoted(policy)} ON {quoted(database)} DEFAULT",
    )


def _retention(database: str, policy: Policy, seconds: int) -> Step:
    statement = f"ALTER RETENTION POLICY {quoted(policy.name)} ON {quoted(database)} DURATION {_duration(seconds)}"
    # The server refuses shards that outlast the retention; and ten years in shards of a day are thousands of files.
    chosen = policy.shard_seconds != shard_seconds(policy.seconds)
    shards = shard_seconds(seconds)
    if shards != policy.shard_seconds and (not chosen or 0 < seconds < policy.shard_seconds):
        statement += f" SHARD DURATION {_duration(shards)}"
    return Step(
        what="keep",
        words=(
            f"keep the retention policy {policy.name} of the database {database} {span(seconds)}"
            f" instead of {span(policy.seconds)}"
        ),
        statement=statement,
        seconds=seconds,
        shortens=shorter(policy.seconds, seconds),
    )


def _duration(seconds: int) -> str:
    if seconds == 0:
        return "INF"
    return f"{seconds // DAY}d" if seconds % DAY == 0 else f"{seconds}s"
