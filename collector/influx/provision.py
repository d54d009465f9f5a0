"""Creates what a sink needs at its server, and changes nothing that is right. Drops nothing, and grants no right.

A plan is looked at first, and is a value; whoever asked for it then has it carried out, or shows it and leaves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.batch import NO_ROWS
from collector.errors import CollectorError, ConfigError, Unauthorized
from collector.http import Answer, Http
from collector.influx.buckets import Buckets
from collector.influx.databases import Databases, needed
from collector.influx.databases3 import Databases3
from collector.influx.judge import version as version_of
from collector.influx.management import Forbidden, Management
from collector.influx.plan import Plan, Step
from collector.influx.v1 import V1
from collector.influx.v2 import V2
from collector.settings import Influx

__all__ = ["Done", "Plan", "Provision", "Step"]

_CLOSED = (3, 0)
"""What a server is taken for that lets not everybody ping: 2.x does, 1.x and 3.x can be told not to."""
_V2_IN_1 = (1, 8)
"""From this version on 1.x takes points by the v2 API."""
_VICTORIA = "VictoriaMetrics takes points without anything created; how long it keeps them is its -retentionPeriod"
_TAKES = "it would take points as it is; more could not be looked at, and nothing was asked that would need it"
_OTHERS = {
    "v1": "--username U --password-file FILE",
    "v2": "--token-file FILE",
}


class Site(Protocol):
    """What one kind of server has, and lacks."""

    right: str
    """What whoever asks needs."""

    def plan(self, keep: int | None) -> Plan: ...
    def whole(self, keep: int | None) -> Plan: ...
    def do(self, step: Step) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a plan. `held`: what would shorten a retention, and was not asked for."""

    steps: Sequence[Step] = ()
    held: Sequence[Step] = ()
    error: CollectorError | None = None


class Provision:
    """One sink's server. `lent`: the same sink as somebody else signs in there, by what is called `credential`."""

    def __init__(
        self, name: str, settings: Influx, http: Http, lent: Influx | None = None, credential: str = ""
    ) -> None:
        own = http.serving(f"influxdb.{name}")
        kind = V1 if settings.api == "v1" else V2
        self._sink = kind(name, settings, own)
        self._settings = lent or settings
        self._lent = lent is not None
        self._management = Management(kind(name, self._settings, own).server, credential)
        self.target = self._sink.target

    def write(self) -> None:
        """Return if the sink, as the settings have it, would take points now; raise what its write raises."""
        self._sink.write(NO_ROWS)

    def plan(self, keep: int | None) -> Plan:
        """Return what is lacking, so that points are taken and kept for `keep` seconds.

        `keep`: 0 is for ever, None as it is, and for ever where something is created. Raise ConfigError where the
        settings don't fit the server, Unauthorized, or Unavailable.
        """
        try:
            return self._look(keep)
        except (ConfigError, Unauthorized):
            # Who lends a sign-in wants it to be looked with.
            if keep is None and not self._lent and self._takes_points():
                return Plan(note=_TAKES)
            raise

    def carry_out(self, plan: Plan, keep: int | None, *, shorten: bool) -> Done:
        """Do what was planned, in order, to the first step that fails; then look whether it is so.

        A step that shortens a retention is done when `shorten` is set, and held back else.
        """
        held = [step for step in plan.steps if step.shortens and not shorten]
        wanted = [step for step in plan.steps if step not in held]
        done: list[Step] = []
        if not wanted:
            return Done(held=held)
        site = self._site(_CLOSED)
        try:
            site = self._site(version_of(self._management.ping()))
            for step in wanted:
                site.do(step)
                done.append(step)
            left = [step.words for step in site.plan(keep).steps if step not in held]
            if left:
                # A proxy or a portal may say yes to anything.
                raise Unauthorized(
                    f"{self.target}: the server said yes, and yet it lacks: {'; '.join(left)}",
                    mend=f"see {self._management.asked.table}.url: something else may have answered; or try once more",
                )
        except Forbidden as error:
            return Done(steps=done, held=held, error=self._refusal(error, site, wanted[len(done) :] or wanted))
        except CollectorError as error:
            return Done(steps=done, held=held, error=error)
        return Done(steps=done, held=held)

    def _site(self, version: tuple[int, int] | None) -> Site:
        """Return how that server is managed; one that doesn't say what it is, is what the settings take it for."""
        if self._settings.api == "v1":
            return Databases(self._settings, self._management)
        if version and version[0] >= 3:  # noqa: PLR2004 - InfluxDB 3
            return Databases3(self._settings, self._management)
        return Buckets(self._settings, self._management, version)

    def _look(self, keep: int | None) -> Plan:
        site = self._site(_CLOSED)
        try:
            answer = self._management.ping()
            if _is_victoria(answer):
                return Plan(note=_VICTORIA)
            version = version_of(answer)
            self._want_fit(version)
            site = self._site(version)
            return site.plan(keep)
        except Forbidden as error:
            raise self._refusal(error, site, site.whole(keep).steps) from error

    def _takes_points(self) -> bool:
        try:
            self.write()
        except CollectorError:
            return False
        return True

    def _want_fit(self, version: tuple[int, int] | None) -> None:
        """Return if the settings speak the language in which the server is managed; else raise ConfigError."""
        table = self._management.asked.table
        if version is None or (self._settings.api == "v1") == (version[0] == 1):
            return
        server = f"{self._settings.url} is an InfluxDB {version[0]}.{version[1]}"
        if self._settings.api == "v1":
            raise ConfigError(
                [f'{table}.api: is "v1", but {server}, where nothing is created by that API'],
                mend='set api = "v2", with org, bucket and token',
            )
        database, _, policy = self._settings.bucket.partition("/")
        keys = f'database = "{database}"' + (f', retention_policy = "{policy}"' if policy else "")
        mend = f'set api = "v1", {keys}, username and password_file'
        if version >= _V2_IN_1:
            mend += f"; or let an administrator run: {_statements(needed(database, policy, 0, None))}"
        raise ConfigError(
            [f'{table}.api: is "v2", but {server}, whose buckets are databases and retention policies'], mend=mend
        )

    def _refusal(self, error: Forbidden, site: Site, left: Sequence[Step]) -> Unauthorized:
        return Unauthorized(
            str(error),
            mend=(
                f"correct {self._management.asked.credential}, or give another for this command alone"
                f" ({_OTHERS[self._settings.api]}): {site.right}; or let an administrator run: {_statements(left)}"
            ),
        )


def _statements(steps: Sequence[Step]) -> str:
    return "; ".join(step.statement for step in steps)


def _is_victoria(answer: Answer) -> bool:
    """Whether it is VictoriaMetrics, which names its host in each answer, and says no version of InfluxDB to a ping."""
    return "X-Server-Hostname" in answer.headers and "X-Influxdb-Build" not in answer.headers
