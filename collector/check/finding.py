"""What was found of one thing."""

from dataclasses import dataclass

from collector.errors import CollectorError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: whether it is well, what was seen, and what to do about it.

    One that is well and has a mend will not stay well. `tenant`: whose it is, None for what all tenants share.
    """

    name: str
    ok: bool
    message: str
    mend: str = ""
    tenant: str | None = None


def bad(name: str, error: CollectorError, tenant: str | None = None) -> Finding:
    """Return the finding that an error is."""
    return Finding(name, ok=False, message=str(error), mend=error.mend, tenant=tenant)
