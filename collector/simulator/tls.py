"""The server's own certificate, as it should be or with the fault that is wanted. Is not the application's."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Literal

import trustme

ServerCertificate = Literal["valid", "expired", "other_name", "untrusted"]
"""Good; past its end; of another host; of an authority that nobody was told of."""

ServerName = Literal["all", "api", "sign_in"]
"""Who has it. The API is asked for by name, `localhost`, the sign-in then by its address, 127.0.0.1."""

_NAMES = ("localhost", "127.0.0.1", "::1")
_ELSEWHERE = "elsewhere.example"


def context(authority: trustme.CA, certificate: ServerCertificate, shown_by: ServerName) -> ssl.SSLContext:
    """Return what a server listens with; `authority` is the one that clients are told of."""
    good, wanted = _context(authority, "valid"), _context(authority, certificate)
    if shown_by == "all":
        return wanted
    by_name, by_address = (wanted, good) if shown_by == "api" else (good, wanted)

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        # A client says a host's name before it sees the certificate, and never an address.
        connection.context = by_address if name is None else by_name

    by_address.sni_callback = choose
    return by_address


def _context(authority: trustme.CA, certificate: ServerCertificate) -> ssl.SSLContext:
    issuer = trustme.CA(organization_name="somebody else") if certificate == "untrusted" else authority
    names = (_ELSEWHERE,) if certificate == "other_name" else _NAMES
    now = datetime.now(UTC)
    if certificate == "expired":
        issued = issuer.issue_cert(*names, not_before=now - timedelta(days=30), not_after=now - timedelta(days=1))
    else:
        issued = issuer.issue_cert(*names)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(made)
    return made
