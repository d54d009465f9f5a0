"""One tenant: its sign-in, its permission, each call that is polled, and, where it is refused, its cloud."""

import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collector.check.awaited import Awaited
from collector.check.finding import Finding, bad
from collector.defender import Defender, Whereabouts
from collector.errors import CollectorError, ConfigError, Unauthorized
from collector.http.clients import Clients
from collector.point import Point
from collector.settings import Certificate, ClientSecret, Settings, Tenant
from collector.step import Step

_SOON = timedelta(days=30)
_ENDED = "AADSTS7000222"
"""What sign-in itself says of a client secret that has ended."""
_OVERRIDES = ("api_url", "login_url", "scope", "region")
"""Keys that would go on naming the old cloud's places."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of a tenant. `clock_ahead`: by how many seconds of its servers, None where none told the time."""

    findings: Sequence[Finding]
    clock_ahead: float | None = None


def examine(settings: Settings, name: str, clients: Clients, awaited: Awaited) -> Examined:
    """Return what was found of a tenant. Each exchange takes at most `poll.timeout_seconds`.

    The subjects are asked at once: an API that hangs costs one timeout, not one a subject.
    """
    tenant = settings.tenants[name]
    try:
        source = Defender(name, tenant, clients.trusting(tenant.ca_file), dict)
    except ConfigError as error:
        message = f"tenants.{name}.{error}"
        return Examined([Finding(f"{name}: sign-in", ok=False, message=message, mend=error.mend, tenant=name)])
    probe = _Probe(name, tenant, source, settings.poll.timeout_seconds, awaited)
    findings = probe.findings(settings.poll.subjects)
    return Examined([*findings, *_exposed(name, tenant)], source.clock_ahead)


def twins(settings: Settings, names: Sequence[str]) -> Iterator[Finding]:
    """Yield each of `names` whose directory a tenant before it has too: a file that was copied, and not changed.

    Looks at what is written: a directory that one calls by its GUID and another by a domain is not seen.
    """
    owners: dict[tuple[str, str], str] = {}
    for name, tenant in settings.tenants.items():
        owner = owners.setdefault((tenant.cloud, tenant.tenant_id.lower()), name) if tenant.tenant_id else name
        if owner != name and not {owner, name}.isdisjoint(names):
            message = f"is that of {owner} too: one organization's scores are kept under both names"
            mend = f"correct tenants.{name}.tenant_id or tenants.{owner}.tenant_id, or take one of the two out"
            yield Finding(f"{name}: tenant_id", ok=True, message=message, mend=mend, tenant=name)


def _exposed(name: str, tenant: Tenant) -> Iterator[Finding]:
    """Yield each file of a secret that others than its owner may read: well for now, but no secret for long."""
    for file in [secret.file for secret in tenant.secrets() if secret.exposed()]:
        mend = f"chmod 600 {shlex.quote(str(file))}"
        yield Finding(f"{name}: secret file", ok=True, message=f"others may read {file}", mend=mend, tenant=name)


class _Probe:
    def __init__(self, name: str, tenant: Tenant, source: Defender, seconds: float, awaited: Awaited) -> None:
        self._name = name
        self._tenant = tenant
        self._source = source
        self._seconds = seconds
        self._awaited = awaited
        self._refused = False
        """Whether something was refused that a person has to mend."""
        self._elsewhere = False
        """Whether something else than the API answered."""

    def findings(self, subjects: Sequence[str]) -> Sequence[Finding]:
        try:
            with self._awaited.asking(f"{self._name}: sign-in"):
                self._source.sign_in(self._seconds)
        except CollectorError as error:
            return [*self._not_signed_in(error), *self._where()]
        # Asked before the calls: a 403 makes the source forget its token.
        needed, held = self._source.permissions()
        with ThreadPoolExecutor(max(len(subjects), 1)) as pool:
            answers = list(pool.map(self._ask, subjects))
        calls = [self._call(subject, answer) for subject, answer in zip(subjects, answers, strict=True)]
        permission = self._permission(needed, held, answered=all(call.ok for call in calls))
        if not permission.ok:
            # One cause has one mend.
            calls = [replace(call, mend="see permission") if call.mend == permission.mend else call for call in calls]
        found = [self._well("sign-in", "a token was given"), *self._credential(), permission, *calls]
        return [*found, *self._where()]

    def _not_signed_in(self, error: CollectorError) -> Sequence[Finding]:
        """Return what a sign-in that failed is, and whether the credential lasts, unless that is what it failed of."""
        refused = self._bad("sign-in", error)
        secret_ended = _ENDED in str(error)
        if secret_ended:
            refused = replace(refused, mend=_renewal(self._tenant))
        # A certificate that has ended is never sent: sign-in says so at once.
        told = secret_ended or isinstance(self._tenant.credential, Certificate)
        return [refused, *(finding for finding in self._credential() if finding.ok or not told)]

    def _credential(self) -> Sequence[Finding]:
        """Return whether the credential lasts, nothing where this machine can't tell. While it lasts it is well."""
        ends = self._source.expires()
        if ends is None:
            return []
        left = ends - datetime.now(UTC)
        day = f"{ends.astimezone(UTC):%Y-%m-%d}"
        if left > _SOON:
            return [self._well("credential", f"lasts until {day}, {left.days} days")]
        mend = _renewal(self._tenant)
        if left > timedelta(0):
            return [replace(self._well("credential", f"ends on {day}, in {left.days} days"), mend=mend)]
        return [self._finding("credential", f"ended on {day}", mend)]

    def _ask(self, subject: str) -> Sequence[Point] | CollectorError:
        """Return what a poll of the subject brings, or of what it fails. Called by a thread for each subject."""
        asking = self._source.ask(subject, 0)
        try:
            with self._awaited.asking(f"{self._name}: {subject}"):
                while (step := asking.step(self._seconds)) is not Step.DONE:
                    if step is Step.SIGN_IN:
                        self._source.sign_in(self._seconds)
        except CollectorError as error:
            return error
        return asking.points

    def _call(self, subject: str, answer: Sequence[Point] | CollectorError) -> Finding:
        if isinstance(answer, CollectorError):
            return self._bad(subject, answer)
        if subject == "device_groups":
            return self._well(subject, f"{len(answer)} groups")
        return self._well(subject, f"score {answer[0].fields['score']:.1f}")

    def _permission(self, needed: str, held: Sequence[str], *, answered: bool) -> Finding:
        if needed in held:
            return self._well("permission", needed)
        has = f"the token has {', '.join(held)}" if held else "the token names no permission"
        if answered:
            return self._well("permission", f"{has}, and the API answers")
        return self._finding("permission", f"{needed} is needed, and {has}", self._source.grant())

    def _where(self) -> Sequence[Finding]:
        """Return that the tenant is in another cloud than the settings say, if that may be why something was refused.

        That it is in this one is worth a line only where something else than the API answered.
        """
        if not self._refused:
            return []
        with self._awaited.asking(f"{self._name}: cloud"):
            where = self._source.whereabouts(self._seconds)
        if where is None:
            return []
        cloud = self._tenant.cloud
        if where.fits(cloud):
            well = self._well("cloud", f"{cloud}, and {where.login} says the same ({where.said})")
            return [well] if self._elsewhere else []
        named = where.cloud or "one that is not known here"
        message = f"the settings say {cloud}, and {where.login} says that the tenant is in {named} ({where.said})"
        return [self._finding("cloud", message, self._move(where))]

    def _move(self, where: Whereabouts) -> str:
        table = f"tenants.{self._name}"
        if where.cloud is None:
            return f"name that cloud's places as {table}.api_url, login_url and scope"
        named = [key for key in _OVERRIDES if getattr(self._tenant, key)]
        out = f", and leave {', '.join(named)} out" if named else ""
        return f'set {table}.cloud = "{where.cloud}"{out}'

    def _well(self, what: str, message: str) -> Finding:
        return Finding(f"{self._name}: {what}", ok=True, message=message, tenant=self._name)

    def _finding(self, what: str, message: str, mend: str) -> Finding:
        return Finding(f"{self._name}: {what}", ok=False, message=message, mend=mend, tenant=self._name)

    def _bad(self, what: str, error: CollectorError) -> Finding:
        if isinstance(error, Unauthorized):
            self._refused = True
            self._elsewhere = self._elsewhere or error.elsewhere
        return bad(f"{self._name}: {what}", error, self._name)


def _renewal(tenant: Tenant) -> str:
    """Return what to do about a credential that ends."""
    match tenant.credential:
        case Certificate() as held:
            place = f"{held.called('certificate_file')} ({held.certificate_file})"
            return f"make a new certificate, register it with the application, and put it into {place}"
        case ClientSecret(client_secret=secret):
            place = f"{secret.key} ({secret.file})" if secret.file else secret.key
            return f"make a new client secret, put its value into {place}, and its day into client_secret_expires"
        case _:
            return "renew it"
