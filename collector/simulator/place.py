"""What a request is about, before anything is done about it. Is not the answer."""

from dataclasses import dataclass

from collector.simulator.answer import Answer, problem
from collector.simulator.sign_in.tokens import Token


@dataclass(frozen=True, slots=True)
class Place:
    """Who asks (a tenant's name, None for a stranger), for which subject, with which token."""

    tenant: str | None
    subject: str
    token: Token | None = None


def disallowed(method: str, wanted: str) -> Answer:
    """Return what another method than the wanted one gets."""
    message = f"The requested resource does not support http method '{method}'."
    return problem(405, "MethodNotAllowed", message, {"Allow": wanted})
