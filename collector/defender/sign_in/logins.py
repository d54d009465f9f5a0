"""Which logins describe themselves as Microsoft's do: they are asked so once, and not for each of a thousand tenants.

Microsoft's discovery says the same of every tenant, but for the tenant's id. A login that has said just that of one
tenant is taken to say it of the next. Whoever is then refused is asked for all the same, before a person is told why;
and of whom it says otherwise it is asked each time. Is no way for a secret to go elsewhere: what is taken to be so
stands at the login that the settings name.
"""

from collections.abc import Mapping

_DISCOVERY = "/v2.0/.well-known/openid-configuration"


class Logins:
    """What logins have said, for any thread: of one object ask those alone who trust the same certificates."""

    def __init__(self) -> None:
        self._usual: set[str] = set()
        self._otherwise: set[str] = set()

    def expected(self, url: str) -> Mapping[str, str] | None:
        """Return what is to be found at the URL of a discovery; None where it has to be asked."""
        login, usual = _usual(url)
        return usual if login in self._usual and url not in self._otherwise else None

    def said(self, url: str, found: Mapping[str, object]) -> None:
        """Take note of what was found there."""
        login, usual = _usual(url)
        if {key: found.get(key) for key in usual} == usual:
            self._usual.add(login)
            self._otherwise.discard(url)
        else:
            self._otherwise.add(url)


def _usual(url: str) -> tuple[str, Mapping[str, str]]:
    """Return the login that is asked, and what Microsoft's says of a tenant."""
    tenant = url.removesuffix(_DISCOVERY)
    endpoints = {
        "issuer": f"{tenant}/v2.0",
        "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
    }
    return tenant.rpartition("/")[0], endpoints
