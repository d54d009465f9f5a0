"""The permission that scores need: what it is called for a kind of credential, and how somebody grants it.

The kind decides, not the token: one that nothing was granted to names no permission of either sort.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.defender.claims import claims
from collector.settings import DeviceCode, ManagedIdentity, Tenant

_APPLICATION = "Score.Read.All"
_DELEGATED = "Score.Read"
_RESOURCE = "WindowsDefenderATP"
_RESOURCE_ID = "fc780465-2017-40d4-a0c5-307022471b92"
"""Microsoft's own application, the same in every tenant."""
_ADD = f"add the {{}} permission {{}} of {_RESOURCE} to the application, and grant admin consent"
_SHOWN = 20
"""Permissions of a token that a message names."""
_WORD = 80
"""Characters of each."""


@dataclass(frozen=True, slots=True)
class Permission:
    """`claim`: where a token names it. `grant`: how it is granted; `granted`: what to see where it is, and no use."""

    name: str
    claim: str
    grant: str
    granted: str

    def held(self, token: str) -> Sequence[str]:
        """Return the permissions of this sort that a token says it has; none for a token that can't be read."""
        said = claims(token).get(self.claim)
        if self.claim == "scp":
            return said.split() if isinstance(said, str) else []
        return [role for role in said if isinstance(role, str)] if isinstance(said, list) else []

    def lacking(self, token: str) -> bool:
        """Whether the token itself says that it hasn't this permission."""
        return self.name not in self.held(token)

    def words(self, token: str) -> str:
        """Return what is needed, and what the token has."""
        listed = ", ".join(_printable(one) for one in self.held(token)[:_SHOWN])
        return (
            f"{self.name} is needed, and the token has {f'the {self.claim} {listed}' if listed else f'no {self.claim}'}"
        )

    def mend(self, token: str) -> str:
        """Return what to do when the API refuses the token."""
        return self.grant if self.lacking(token) else f"{self.grant}; where that is done, {self.granted}"


def permission_of(tenant: Tenant) -> Permission:
    """Return what this tenant's kind of credential needs."""
    match tenant.credential:
        case DeviceCode():
            grant = _ADD.format("delegated", _DELEGATED)
            return Permission(_DELEGATED, "scp", grant, "see what the person's role in the tenant's Defender allows")
        case ManagedIdentity():
            grant = (
                f"grant the identity the app role {_APPLICATION} of {_RESOURCE}, by Microsoft Graph or PowerShell,"
                " since the portal can't: New-MgServicePrincipalAppRoleAssignment, from the service principal of"
                f" {_RESOURCE} (application id {_RESOURCE_ID}) to the identity's own; Azure keeps its tokens, so that a"
                " new grant can take a day to count"
            )
        case _:
            grant = _ADD.format("application", _APPLICATION)
    return Permission(_APPLICATION, "roles", grant, "see what the tenant's Defender roles allow")


def _printable(word: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in word[:_WORD])
