"""The one application of every tenant, and how it proves that it is itself. Is not what it is granted.

What it has is made anew at each start; what is renewed counts at once, and what was before it is refused.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from collector.errors import ConfigError
from collector.simulator.sign_in.assertion import TYPE, Assertion
from collector.simulator.sign_in.certificate import Certificate, unregistered
from collector.simulator.sign_in.federation import Federation, unmatched
from collector.simulator.sign_in.refusals import Refused

Credential = Literal[
    "client_secret", "certificate", "certificate_pfx", "workload_identity", "managed_identity", "device_code"
]
"""The ways to sign in; each is a kind of the collector's settings, PFX being another form of `certificate`."""

_CERTIFICATES = ("certificate", "certificate_pfx")
_TOKEN_PARAMETERS = ("issuer", "subject", "audience", "seconds", "forged")
MOST_DAYS = 36500
"""A certificate's end is no further off than this, and a tenth of it back."""


class Application:
    """Always has a secret; a certificate that ends in `days`, or a federated credential, where `credential` is that.

    `issuer`: the URL of the platform that the federated credential trusts. `clock`: Unix seconds.
    """

    def __init__(
        self, client_id: str, *, credential: Credential, issuer: str, days: float, clock: Callable[[], float]
    ) -> None:
        self.client_id = client_id
        self.credential = credential
        self._days = days
        self._clock = clock
        self._seen: dict[str, tuple[bytes, float]] = {}
        self.secret = _new_secret()
        self.pfx_password = secrets.token_urlsafe(12)
        self.certificate = Certificate.made(days=days, now=clock()) if credential in _CERTIFICATES else None
        self._federation = Federation(issuer, clock) if credential == "workload_identity" else None
        self.token = self._federation.token() if self._federation else None

    def renew(self, **wanted: Any) -> None:  # noqa: ANN401 - from JSON: each kind knows its own
        """Have a new secret, certificate (`days`) or platform's token (see `Federation.token`) from now on.

        Raise ConfigError for what the credential doesn't have.
        """
        if self._federation:
            _known(wanted, _TOKEN_PARAMETERS)
            self.token = self._federation.token(**wanted)
        elif self.certificate:
            _known(wanted, ("days",))
            self.certificate = Certificate.made(days=wanted.get("days", self._days), now=self._clock())
        elif self.credential == "client_secret":
            _known(wanted, ())
            self.secret = _new_secret()
        else:
            raise ConfigError([f"credential: {self.credential} has nothing that could be renewed"])

    def prove(self, form: Mapping[str, str], audiences: Collection[str]) -> None:
        """Return if the form shows a secret or an assertion that is good; else raise Refused.

        `audiences`: the names of the endpoint that an assertion may be meant for.
        """
        if "client_assertion" in form:
            if form.get("client_assertion_type") != TYPE:
                raise Refused(900144, "Parameter: 'client_assertion_type'.")
            self._verify(Assertion.read(form["client_assertion"]), audiences)
        elif "client_secret" not in form:
            raise Refused(7000216)
        elif not hmac.compare_digest(form["client_secret"].encode(), self.secret.encode()):
            raise Refused(7000215)

    def _verify(self, assertion: Assertion, audiences: Collection[str]) -> None:
        # An application signs for itself; whoever else is named as the issuer is a platform.
        if assertion.said("iss") == self.client_id or not {"x5t", "x5t#S256"}.isdisjoint(assertion.header):
            self._verify_own(assertion, audiences)
        elif self._federation:
            self._federation.verify(assertion)
        else:
            raise unmatched(assertion)

    def _verify_own(self, assertion: Assertion, audiences: Collection[str]) -> None:
        now = self._clock()
        if self.certificate is None:
            raise unregistered()
        self.certificate.verify(assertion, now)
        if {assertion.said("iss"), assertion.said("sub")} != {self.client_id}:
            raise Refused(700021)
        if len(assertion.audiences) != 1 or assertion.audiences[0] not in audiences:
            raise Refused(700023)
        assertion.in_time(now)
        self._once(assertion, now)

    def _once(self, assertion: Assertion, now: float) -> None:
        """Raise Refused (50027) if another assertion had this one's id."""
        jti, end = assertion.said("jti"), float(assertion.claims["exp"])
        digest = hashlib.sha256(assertion.text.encode()).digest()
        self._seen = {known: (text, until) for known, (text, until) in self._seen.items() if until > now}
        # msal sends one assertion for as long as it is good, and Entra takes it: the same is no replay.
        if self._seen.setdefault(jti, (digest, end))[0] != digest:
            raise Refused(50027, "The claim 'jti' was used before.")


def _new_secret() -> str:
    """Return a secret that nobody could guess, with the characters that Entra's have."""
    return f"{secrets.token_urlsafe(3)}8Q~{secrets.token_urlsafe(24)}"


def _known(wanted: Mapping[str, object], parameters: Collection[str]) -> None:
    problems = [
        f"there is no parameter {name!r}; known: {', '.join(parameters) or 'none'}"
        if name not in parameters
        else f"{name}: {value!r} doesn't fit"
        for name, value in wanted.items()
        if name not in parameters or not _fits(name, value)
    ]
    if problems:
        raise ConfigError(problems)


def _fits(name: str, value: object) -> bool:
    if name == "forged":
        return isinstance(value, bool)
    if name not in ("seconds", "days"):
        return isinstance(value, str)
    most = MOST_DAYS * (86400 if name == "seconds" else 1)
    return isinstance(value, int | float) and not isinstance(value, bool) and -most / 10 <= value <= most
