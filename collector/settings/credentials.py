"""How an application signs in to Microsoft Entra: a class a kind. Is no sign-in: `defender` does that.

A file that is named here is read at each sign-in, so that a renewed one counts at once.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from collector.settings import fields
from collector.settings.secret import Secret
from collector.settings.section import Section


class ClientSecret(Section):
    """A secret that the application shares with Microsoft Entra."""

    kind: Literal["client_secret"]
    client_secret: Secret
    client_secret_expires: fields.Day | None = None
    """The day on which it ends, by whoever made it: sign-in doesn't tell."""


class Certificate(Section):
    """A certificate that is registered with the application, and its key."""

    needed: ClassVar[tuple[str, ...]] = ("certificate_file",)

    kind: Literal["certificate"]
    certificate_file: fields.File = Field(description="the file of the certificate and its key, PEM or PFX")
    password: Secret | None = None
    """Of the key in it, None where it has none."""


class WorkloadIdentity(Section):
    """A token of the platform (Kubernetes, say) that a federated credential of the application trusts."""

    needed: ClassVar[tuple[str, ...]] = ("token_file",)

    kind: Literal["workload_identity"]
    token_file: fields.File = Field(description="the file in which the platform keeps the token")


class ManagedIdentity(Section):
    """The identity that Azure gives the machine; the tenant's `client_id` names a user-assigned one."""

    kind: Literal["managed_identity"]


class DeviceCode(Section):
    """A person who has signed in with `login`, and whose sign-in is renewed from a cache."""

    made: ClassVar[tuple[str, ...]] = ("cache_file",)

    kind: Literal["device_code"]
    cache_file: fields.File = Field(description="the file that `exposure-collector login` keeps the sign-in in")
    """Not there until somebody has signed in."""


Kind = ClientSecret | Certificate | WorkloadIdentity | ManagedIdentity | DeviceCode
Credential = Annotated[Kind, Field(discriminator="kind")]
"""One of the kinds, told apart by `kind`."""
