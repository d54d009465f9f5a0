"""What is polled: a Defender tenant and the application that does it, and what several tenants share of that."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from collector.settings import fields
from collector.settings.credentials import Credential, Kind
from collector.settings.mistakes import mistake
from collector.settings.section import Section

_IDS = ("tenant_id", "client_id")

_Cloud = Literal["global", "gcc", "gcc-high", "dod"]

_Region = Literal["us", "eu", "uk", "au", "swa", "ina", "aea"]


class TenantDefaults(Section):
    """What tenants have that don't say otherwise, each key as a whole. The settings of a tenant have it in them."""

    client_id: fields.Guid | None = None
    cloud: _Cloud | None = None
    region: _Region | None = None
    credential: Kind | None = Field(default=None, discriminator="kind")
    api_url: fields.ApiUrl | None = None
    login_url: fields.HttpsUrl | None = None
    scope: fields.Scope | None = None
    ca_file: fields.File | None = None


class Tenant(Section):
    """A Defender tenant and the application that polls it. What is None here is as `cloud` says.

    `tenant_id` and `client_id` can be empty for a managed identity alone: Azure knows the tenant of the machine, and
    its only identity. A `tenant_id` is then what the token's tenant has to be, a `client_id` which identity is meant.
    """

    tenant_id: fields.TenantId = Field(description="the directory's GUID or one of its domain names")
    client_id: fields.Guid = Field(description="the application's id, a GUID")
    cloud: _Cloud = "global"
    region: _Region | None = None
    credential: Credential = Field(
        description='how the application signs in, like { kind = "client_secret", client_secret_file = "PATH" }'
    )
    api_url: fields.ApiUrl | None = None
    login_url: fields.HttpsUrl | None = None
    scope: fields.Scope | None = None
    ca_file: fields.File | None = None
    """PEM certificates that are trusted beside the system's."""

    @model_validator(mode="before")
    @classmethod
    def _spare(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written there
        """Take an id that is empty for one that is missing, and one that is missing for no matter where none is needed.

        Looks at what was written, so that a mistake in the credential hides no id that is missing.
        """
        if not isinstance(data, dict):
            return data
        written = {key: value for key, value in data.items() if value != "" or key not in _IDS}
        credential = data.get("credential")
        kind = credential.get("kind") if isinstance(credential, dict) else getattr(credential, "kind", None)
        return dict.fromkeys(_IDS, "") | written if kind == "managed_identity" else written

    @field_validator("region")
    @classmethod
    def _global_alone(cls, region: str | None, info: ValidationInfo) -> str | None:
        if region is not None and info.data.get("cloud", "global") != "global":
            raise mistake('only the cloud "global" has regions; leave the key out')
        return region
